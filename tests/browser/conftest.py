"""A real browser before the stack of tests/e2e; `--pictures docs/images` keeps what it saw."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from local.stack.airflow import airflow_url
from local.stack.credentials import USER, password
from testbed.pipeline import Pipeline

Keep = Callable[[Page, str], None]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", type=Path, help="where tests/browser keeps pictures of the pages")


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Keep:
    """Keep a picture of a page under a name, where pictures are asked for."""
    folder: Path | None = request.config.getoption("--pictures")

    def keep(page: Page, name: str) -> None:
        if folder is not None:
            page.screenshot(path=folder / f"{name}.png")

    return keep


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it: Playwright's own would have to be fetched from the net."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(f"none of {', '.join(NAMES)} is installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture
def stranger(browser: Browser, pipeline: Pipeline) -> Iterator[BrowserContext]:
    """A person who has not logged in; whatever their pages fetch, they fetch from this machine."""
    home = airflow_url(pipeline.settings)
    own = (home, f"blob:{home}", "data:")
    asked: list[str] = []
    context = browser.new_context(base_url=home, viewport={"width": 1400, "height": 900})
    context.on("request", lambda request: asked.append(request.url))
    yield context
    context.close()
    assert [url for url in asked if not url.startswith(own)] == []


@pytest.fixture
def page(stranger: BrowserContext, pipeline: Pipeline) -> Page:
    """A page of a person who has logged in by the form, with the password that the stack generated."""
    page = stranger.new_page()
    log_in(page, pipeline)
    return page


def log_in(page: Page, pipeline: Pipeline) -> None:
    """Fill in the form that Airflow shows to a stranger, send it, and wait until it lets them in."""
    page.goto("/")
    page.get_by_label("Username").fill(USER)
    page.locator("input[type=password]").fill(password(pipeline.settings.home_path))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/auth/login" not in url)
