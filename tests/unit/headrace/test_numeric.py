"""Texts to numbers: JSON's and no others, the nearest double to each."""

import math

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace.numeric import number
from testbed.fuzzed import NO_NUMBERS

DECIMAL = r"\A[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-9]{1,3})?\Z"


def _numbers(*texts: str) -> list[float | None]:
    frame = pl.DataFrame({"text": texts}, {"text": pl.String})
    return frame.select(number(pl.col("text"))).to_series().to_list()


@settings(max_examples=300, deadline=None, database=None)
@given(texts=st.lists(st.from_regex(DECIMAL)))
@example(["2.4703282292062327e-324", "2.4703282292062328e-324"])
@example(["1.7976931348623158e308", "1.7976931348623159e308", "1.00000000000000011102230246251565404"])
@example(
    ["9" * 2000, "0" * 400 + "1", "." + "0" * 400 + "1", "1e400", "-1e400", "1e-400", "9007199254740993"]
)
@example(["0.1", "1E5", "+.5", "5.", "5.e3", "-0", "9007199254740993"])
def test_a_number_is_the_nearest_double(texts: list[str]) -> None:
    for text, found in zip(texts, _numbers(*texts), strict=True):
        assert found == float(text), text
        assert math.copysign(1, found) == math.copysign(1, float(text))


ODD = ["", ".", "e5", "1e", "--1", "1\n", "1,5", "٣", "true", "{}", "−1", "1e5.5"]


@pytest.mark.parametrize("text", [*NO_NUMBERS, *ODD])
def test_anything_else_is_none(text: str) -> None:
    assert _numbers(text) == [None]
