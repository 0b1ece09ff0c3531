"""Offsets that a run's parameter names, and what of them is still to be skipped."""

import pytest

from headrace.errors import SettingsError
from headrace.land.skipping import named, next_skipped, parse_offsets
from headrace.offsets import text


def test_offsets_are_read_as_they_are_named() -> None:
    ranges = parse_offsets(" 3:17, 0:1234-1240 0:7-7 ")
    assert text(ranges) == "0:[7, 8) 0:[1234, 1241) 3:[17, 18)"
    assert parse_offsets(named(ranges)) == ranges
    assert parse_offsets("") == ()


@pytest.mark.parametrize(
    "written", ["0", "0:", "0:5-4", "0:-5", "a:1", "0:1-2-3", f"0:{'9' * 5000}", "0:1;2"]
)
def test_any_other_text_is_refused_and_shown(written: str) -> None:
    with pytest.raises(SettingsError, match=r"is no partition:first-last, such as"):
        parse_offsets(written)


def test_what_is_landed_of_them_stays_landed() -> None:
    skip, until = parse_offsets("0:2-3 0:8-9 1:4-6"), {0: 10, 1: 7}
    assert text(next_skipped(skip, {}, until).values()) == "0:[2, 4) 1:[4, 7)"
    assert text(next_skipped(skip, {0: 3, 1: 7}, until).values()) == "0:[3, 4)"
    assert text(next_skipped(skip, {0: 4, 1: 5}, until).values()) == "0:[8, 10) 1:[5, 7)"
    assert next_skipped(skip, until, until) == {}


def test_offsets_beyond_the_slice_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"skip_offsets 0:8-10: the run's slice ends at 10 there"):
        next_skipped(parse_offsets("0:8-10"), {}, {0: 10})
