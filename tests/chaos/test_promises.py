"""docs/promises.md names only tests and faults that there are."""

import re

import pytest

from chaos.registry import ALL
from headrace.settings import PROJECT

PAGE = (PROJECT / "docs" / "promises.md").read_text("utf-8")
TESTS = {
    name
    for file in (PROJECT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", file.read_text("utf-8"), flags=re.MULTILINE)
}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_a_named_test_is_there(name: str) -> None:
    assert name in TESTS


@pytest.mark.parametrize("name", sorted(set(re.findall(r'"([^"\n]+?)(?: …)?"', PAGE))))
def test_a_named_fault_is_there(name: str) -> None:
    assert any(fault.name.startswith(name) for fault in ALL)
