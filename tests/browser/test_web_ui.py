"""What a person sees: the log-in, a run, its report, and the text of strangers, which stays text."""

from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from headrace.tables.queries import counts
from testbed.dag_stream import GOOD, DagStream
from testbed.pipeline import DAG, Pipeline
from tests.browser.conftest import Keep, log_in

pytestmark = pytest.mark.timeout(900)

HOSTILE = "<img src=x onerror=window.struck=1><script>window.struck=1</script><b>bold</b>"
TELEPHONE = {"width": 390, "height": 844}


def run_page(dag: str, run_id: str) -> str:
    return f"/dags/{dag}/runs/{quote(run_id, safe='')}"


def test_a_report_asks_for_the_login_and_opens_after_it(
    stranger: BrowserContext, pipeline: Pipeline, first_run: str
) -> None:
    page = stranger.new_page()
    report = pipeline.report_link(first_run)
    answer = page.goto(report)
    assert answer is not None
    assert answer.status == 401
    log_in(page, pipeline)
    page.goto(report)
    expect(page.get_by_role("heading", name=DAG, exact=True)).to_be_visible()


def test_the_run_is_green_and_its_report_one_click_away(page: Page, first_run: str, keep: Keep) -> None:
    page.goto(run_page(DAG, first_run))
    expect(page.get_by_text("10 Task Instances")).to_be_visible()
    expect(page.get_by_role("row").get_by_text("Success")).to_have_count(10)
    keep(page, "run")
    page.goto(f"{run_page(DAG, first_run)}/tasks/report/details")
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.get_by_text("Every record is accounted for")).to_be_visible()
    expect(page.get_by_text("50,530 rows = 50,530 landed + 0 quarantined")).to_be_visible()
    keep(page, "report")


def test_the_form_of_a_run_says_what_each_parameter_does(page: Page, keep: Keep) -> None:
    page.goto(f"/dags/{DAG}")
    page.get_by_role("button", name="Trigger").first.click()
    for title in ("Source path", "Republish", "Skip the report"):
        expect(page.get_by_text(title).first).to_be_visible()
    expect(page.get_by_text("Publish this file instead of the contract's, in this run")).to_be_visible()
    keep(page, "trigger-form")
    page.get_by_role("button", name="How it lands").click()
    expect(page.get_by_text("At most so many records a batch in this run")).to_be_visible()


def test_the_report_shows_its_pictures_on_any_screen(page: Page, pipeline: Pipeline, first_run: str) -> None:
    page.goto(pipeline.report_link(first_run))
    pictures = page.locator("img")
    expect(pictures).to_have_count(4)
    for picture in pictures.all():
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
        assert picture.get_attribute("alt")
    page.set_viewport_size(TELEPHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == TELEPHONE["width"]


@pytest.fixture(scope="module")
def hostile(pipeline: Pipeline) -> DagStream:
    """HTML in a column of its own, which is kept, and for a number, which fails the first of two runs."""
    stream = DagStream(pipeline.of("hostile_page"))
    header, *rows = (line.decode().rstrip() for line in GOOD)
    lines = f"{header},Mood", *(f"{row},{HOSTILE}" for row in rows), f"01 01 2018 00:40,1,{HOSTILE},1,1,"
    stream.write("\r\n".join(lines).encode())
    stream.write_contract()
    for expected in ("failed", "success"):
        stream.start()
        assert stream.ended() == expected, stream.pipeline.states(stream.runs[-1])
    assert counts(stream.pipeline.warehouse).quarantine == {"not_a_number": 1}
    return stream


def test_a_task_log_shows_html_as_text(page: Page, hostile: DagStream) -> None:
    page.goto(f"{run_page(hostile.stream, hostile.runs[0])}/tasks/land?try_number=1")
    expect(page.get_by_text("HR406").first).to_be_visible()
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    assert_inert(page)


def test_a_report_shows_html_as_text(page: Page, hostile: DagStream) -> None:
    page.goto(hostile.pipeline.report_link(hostile.runs[1]))
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    assert_inert(page)


def assert_inert(page: Page) -> None:
    """Nothing of HOSTILE has become an element, and nothing of it ran."""
    expect(page.locator('img[src="x"]')).to_have_count(0)
    expect(page.get_by_text("bold", exact=True)).to_have_count(0)
    assert page.evaluate("window.struck") is None
