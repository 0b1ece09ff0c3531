"""The documents keep up with the code."""

import re
import tomllib
from pathlib import Path

import pytest

from headrace import errors
from headrace.reference_pages import QUARANTINE_FILE, REFERENCE_FILE, quarantine_text, reference_text
from headrace.settings import PROJECT
from headrace_airflow import reference

RUNBOOK = (PROJECT / "docs/runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (HR\d{3})\n(.*?)(?=^## |\Z)", RUNBOOK, flags=re.MULTILINE | re.DOTALL))

ARCHITECTURE = (PROJECT / "docs/architecture.md").read_text(encoding="utf-8")
TO_CHANGE = dict(
    re.findall(
        r"^\| (.*?) \| (.*) \|$", ARCHITECTURE.partition("| to have | go to |\n|---|---|\n")[2], re.MULTILINE
    )
)


@pytest.mark.parametrize("kind", errors.error_kinds(), ids=lambda kind: kind.__name__)
def test_the_runbook_has_every_code_and_says_whether_airflow_retries(
    kind: type[errors.HeadraceError],
) -> None:
    assert SECTIONS[kind.code].startswith("*Transient.*" if kind.transient else "*Terminal.*")


@pytest.mark.parametrize("code", sorted(SECTIONS.keys() - {errors.HeadraceError.code}))
def test_the_runbook_says_what_a_code_means_where_to_look_and_what_to_do(code: str) -> None:
    meaning, look, act = (
        r"^\*(Terminal|Transient)\.\* \*\*\S",
        r"^- \*\*Look at:\*\* \S",
        r"^- \*\*Do:\*\* \S",
    )
    found = [re.search(part, SECTIONS[code], flags=re.MULTILINE) for part in (meaning, look, act)]
    assert all(found)
    assert [part.start() for part in found if part] == sorted(part.start() for part in found if part)


def test_the_runbook_has_no_code_that_is_gone() -> None:
    assert SECTIONS.keys() == {kind.code for kind in errors.error_kinds()}


def test_the_reference_of_contracts_is_fresh() -> None:
    assert REFERENCE_FILE.read_text(encoding="utf-8") == reference_text(), "run `headrace schema --write`"


def test_the_reference_of_operators_is_fresh() -> None:
    text = reference.REFERENCE_FILE.read_text(encoding="utf-8")
    assert text == reference.reference_text(), "run `python -m headrace_airflow.reference`"


def test_the_list_of_reasons_is_fresh() -> None:
    assert QUARANTINE_FILE.read_text(encoding="utf-8") == quarantine_text(), "run `headrace schema --write`"


PAGES = sorted(PROJECT.glob("*.md")) + sorted(PROJECT.glob("docs/**/*.md"))


def test_security_names_only_tests_that_there_are_and_no_line_without_one() -> None:
    page = (PROJECT / "docs/security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    there = {
        name
        for file in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", file.read_text("utf-8"), flags=re.MULTILINE)
    }
    assert named - there == set()
    lines = [line for line in page.splitlines() if line.startswith("| ") and "| held by |" not in line]
    bare = [line for line in lines if "`test_" not in line]
    assert [line.split(" | ")[0] for line in bare] == ["| whoever runs the stack, or reads its files"]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=str)
def test_paths_of_the_checkout_lead_somewhere(page: Path) -> None:
    top = "bench|chaos|dags|docker|docs|include|local|plugins|spark_jobs|testbed|tests"
    named = set(re.findall(rf"`((?:{top})/[\w./-]+)`", page.read_text(encoding="utf-8")))
    to_be_written = {"include/streams/sensor_events.yaml"}
    assert [path for path in named - to_be_written if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize("wish", TO_CHANGE)
def test_where_a_change_goes_is_there(wish: str) -> None:
    named = re.findall(r"`([\w./-]*/[\w./-]*|[\w-]+\.(?:py|md|yaml|toml)|Dockerfile)`", TO_CHANGE[wish])
    assert named
    assert [path for path in named if not (PROJECT / path).exists()] == []


def test_the_change_requests_that_were_asked_for_have_their_places() -> None:
    assert len(TO_CHANGE) == 14


def test_every_room_of_the_core_is_told_of_in_the_order_of_its_layers() -> None:
    rooms = ARCHITECTURE.partition("| layer | room |")[2].partition("\n\n")[0]
    told = [
        (int(layer), name) for layer, name in re.findall(r"^\| (\d+) \| `(\S+)` \| \S", rooms, re.MULTILINE)
    ]
    assert told == sorted(told, key=lambda each: each[0])
    assert all((PROJECT / "include/headrace" / name).is_dir() == name.endswith("/") for _, name in told)
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == ["headrace"]
    )
    assert {(layer, name.removesuffix("/").removesuffix(".py")) for layer, name in told} == {
        (number, room) for number, layer in enumerate(layers, 1) for room in layer.split(" | ")
    }
