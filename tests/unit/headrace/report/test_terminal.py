"""What is printed on a terminal is text, whatever it looks like, and comes as rows that a person can read."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from headrace.cli import app
from headrace.report.terminal import print_rows, print_text

HOSTILE = "[red]x[/red] :bomb: \x1b]0;owned\x07\x1b[2J\rgone"
SHOWN = r"[red]x[/red] :bomb: \x1b]0;owned\x07\x1b[2J\rgone"


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_lines_stay_as_they_are(console: Console) -> None:
    long = "a word " * 40
    print_text(console, f"one {HOSTILE}\n\ttwo {long}")
    assert printed(console) == f"one {SHOWN}\n        two {long}\n"


@pytest.mark.parametrize("turned", [False, True])
def test_hostile_text_stays_text_in_rows(console: Console, turned: bool) -> None:
    print_rows(console, f"of {HOSTILE}", [{HOSTILE: HOSTILE, "map": {"a": HOSTILE}}], turned)
    text = printed(console)
    assert not any(character in text for character in "\x1b\x07\r")
    assert text.count("[red]x[/red] :bomb:") == 4


def test_what_is_too_long_for_its_column_goes_on_below(console: Console) -> None:
    for turned in (False, True):
        print_rows(console, "rows", [{"n": "x" * 200, "m": "y" * 30}], turned)
    assert printed(console).count("x") == 400
    assert printed(console).count("y") == 60


def test_rows_have_their_names_on_top_and_maps_a_line_a_part(console: Console) -> None:
    print_rows(
        console, "first rows", [{"n": 1, "map": {"a": 1.5, "b": None, "c": "x"}}, {"n": 22, "map": None}]
    )
    assert printed(console).splitlines() == [
        "first rows",
        "┏━━━━┳━━━━━━━━━━┓",
        "┃ n  ┃ map      ┃",
        "┡━━━━╇━━━━━━━━━━┩",
        "│ 1  │ a = 1.50 │",
        "│    │ c = x    │",
        "│ 22 │          │",
        "└────┴──────────┘",
    ]


def test_turned_rows_are_columns_without_the_names_that_nothing_has(console: Console) -> None:
    print_rows(console, "rows", [{"n": 1, "none": None, "o": "x"}, {"n": 2, "none": None, "o": None}], True)
    assert printed(console).splitlines() == [
        "rows",
        "┌───┬───┬───┐",
        "│ n │ 1 │ 2 │",
        "│ o │ x │   │",
        "└───┴───┴───┘",
    ]


def test_no_rows_print_nothing(console: Console) -> None:
    print_rows(console, "rows", [])
    assert printed(console) == ""


def test_a_contract_cannot_act_on_the_terminal_of_its_reader(tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    file.write_text('stream: mill\n"\\e]0;owned\\a :bomb:": 1\n', encoding="utf-8")
    told = CliRunner().invoke(app, ["check", str(file)])
    assert r"field \x1b]0;owned\x07 :bomb:: no such field" in told.stderr
    (fault,) = json.loads(CliRunner().invoke(app, ["check", "--json", str(file)]).stdout)
    assert "field \x1b]0;owned\x07 :bomb:: no such field" in fault["fault"]
