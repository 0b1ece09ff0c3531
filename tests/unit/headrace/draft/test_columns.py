"""What a column's texts are, and what stands for no value among them."""

import polars as pl
import pytest

from headrace.draft.columns import profile


@pytest.mark.parametrize(
    ("texts", "kind", "signs", "bounds"),
    [
        (["1", "2.5", "-3e2"], "number", (".", False), (-300, 2.5)),
        (["1,5", "2", "-3,25"], "number", (",", False), (-3.25, 2)),
        (["1.234,5", "2.000,0"], "number", (",", True), (1234.5, 2000)),
        (["1,234.5", "12,000.25"], "number", (".", True), (1234.5, 12000.25)),
        (["a", "1", "b"], "text", (".", False), (None, None)),
        ([None, "", " "], "empty", (".", False), (None, None)),
    ],
)
def test_numbers_by_their_signs(
    texts: list[str | None], kind: str, signs: tuple[str, bool], bounds: tuple[float | None, float | None]
) -> None:
    column = profile("v", pl.Series(texts, dtype=pl.String))
    assert (column.kind, (column.decimal, column.grouped)) == (kind, signs)
    assert (column.lowest, column.highest) == bounds


def test_words_for_no_value_are_counted() -> None:
    column = profile("v", pl.Series(["1", "2", "NA", "NA", "-", "oops"]))
    assert column.kind == "number"
    assert column.missing == (("NA", 2), ("-", 1))
    assert column.odd == (("oops", 1),)
    assert "'NA' in 2, taken for no value" in column.saw


@pytest.mark.parametrize(("others", "suspect"), [(["1", "2.5", "3"], "-9999"), (["-9000", "-9998"], None)])
def test_a_number_far_from_all_others_may_stand_for_no_value(others: list[str], suspect: str | None) -> None:
    assert profile("v", pl.Series([*others, "-9999", "-9999"])).suspect == suspect


def test_whole_numbers_are_whole() -> None:
    assert profile("v", pl.Series(["1", "20"])).whole
    assert not profile("v", pl.Series(["1", "2.0"])).whole
