"""Paths into values: their steps, and where one that is none goes wrong."""

import pytest

from headrace.contract.value_path import parse_path

PATHS: dict[str, tuple[str | int, ...]] = {
    "a": ("a",),
    "payload.after": ("payload", "after"),
    "a.b[0].c": ("a", "b", 0, "c"),
    "[1][2]": (1, 2),
    "LV ActivePower (kW).mean": ("LV ActivePower (kW)", "mean"),
    'a["b.c"].d': ("a", "b.c", "d"),
    r'["\"[0]\u00e9"]': ('"[0]é',),
    '[""]': ("",),
    "a[01]": ("a", 1),
}


@pytest.mark.parametrize("text", PATHS)
def test_a_path_has_steps(text: str) -> None:
    assert parse_path(text) == PATHS[text]


NONE = {
    ".a": "from '.a' on",
    "a..b": "from '..b' on",
    "a.": "from '.' on",
    "a[": r"from '\[' on",
    "a[-1]": r"from '\[-1\]' on",
    "a[x]": r"from '\[x\]' on",
    "a[0]b": "from 'b' on",
    'a["b]': "on; write it like",
    "": "has 1 to 50 steps",
    "a" + "[0]" * 50: "has 1 to 50 steps",
    r'["\ud800"]': "surrogates not allowed",
    r'["\x"]': "Invalid",
}


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_path_says_from_where_on(text: str) -> None:
    with pytest.raises(ValueError, match=NONE[text]):
        parse_path(text)
