"""docs/promises.md names only tests and faults that there are."""

import re

import pytest

from chaos.registry import ALL
from headrace.settings import PROJECT

PAGE = (PROJECT / "docs" / "promises.md").read_text("utf-8")
NEWCOMERS = ("unit", "dags", "spark", "integration", "e2e")
"""The folders that `make test` runs."""


def names_in(*folders: str) -> set[str]:
    return {
        name
        for folder in folders
        for file in (PROJECT / "tests" / folder).rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", file.read_text("utf-8"), flags=re.MULTILINE)
    }


PROMISES = re.findall(
    r"^\| ([A-Z].*?) \| (.*) \|$", PAGE.partition("## The crash suite")[0], flags=re.MULTILINE
)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_a_named_test_is_there(name: str) -> None:
    assert name in names_in(*NEWCOMERS, "long", "browser")


@pytest.mark.parametrize(("promise", "held_by"), PROMISES, ids=[promise for promise, _ in PROMISES])
def test_make_test_leaves_no_promise_without_its_test(promise: str, held_by: str) -> None:
    assert names_in(*NEWCOMERS).intersection(re.findall(r"`(test_\w+)`", held_by)), promise


@pytest.mark.parametrize("name", sorted(set(re.findall(r'"([^"\n]+?)(?: …)?"', PAGE))))
def test_a_named_fault_is_there(name: str) -> None:
    assert any(fault.name.startswith(name) for fault in ALL)
