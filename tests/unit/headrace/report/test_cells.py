"""One rule makes text of every value, and the text acts on nothing."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.report.cells import SHOWN, cell, visible


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (1234, "1234"),
        (1234.5678, "1,234.57"),
        (True, "True"),
        (date(2018, 3, 1), "2018-03-01"),
        (datetime(2018, 3, 1, 0, 10, 59, tzinfo=UTC), "2018-03-01 00:10"),
        ({"a": "1", "b": None, "c": 2.0}, "a = 1, c = 2.00"),
        ({}, ""),
        ("Ωμέγα 日本 é ’ \xa0", "Ωμέγα 日本 é ’ \xa0"),
        ("[red]<b>:bomb:", "[red]<b>:bomb:"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\r\n\tb\x9b2J", r"a\r\n\tb\x9b2J"),
        ("abc\u202edcba", r"abc\u202edcba"),
        ({"\x1b[2J": "\ud800"}, r"\x1b[2J = \ud800"),
    ],
)
def test_a_value_has_one_text(value: object, text: str) -> None:
    assert cell(value) == text


def test_the_parts_of_a_map_stand_between_what_is_asked_for() -> None:
    assert cell({"a": "1\n", "b": "2"}, between="\n") == "a = 1\\n\nb = 2"


def test_a_long_value_is_cut_and_a_map_of_many_is_not() -> None:
    assert cell("x" * SHOWN) == "x" * SHOWN
    assert cell("x" * (SHOWN + 1)) == "x" * SHOWN + "…"
    assert cell({str(number): "v" for number in range(SHOWN)}).count("= v") == SHOWN


@given(st.text(st.characters(), max_size=60))
def test_nothing_acts_and_everything_can_be_written(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
