"""What a column's texts are, and what stands for no value among them."""

import polars as pl
import pytest

from headrace.contract.number_form import NumberForm
from headrace.draft.columns import profile, profiles
from headrace.draft.look import Look
from headrace.draft.values import values_of


@pytest.mark.parametrize(
    ("texts", "kind", "signs", "bounds"),
    [
        (["1", "2.5", "-3e2"], "number", (".", None), (-300, 2.5)),
        (["1,5", "2", "-3,25"], "number", (",", None), (-3.25, 2)),
        (["1.234,5", "2.000,0"], "number", (",", "."), (1234.5, 2000)),
        (["1,234.5", "12,000.25"], "number", (".", ","), (1234.5, 12000.25)),
        (["a", "1", "b"], "text", (".", None), (None, None)),
        ([None, ""], "empty", (".", None), (None, None)),
    ],
)
def test_numbers_by_their_signs(
    texts: list[str | None],
    kind: str,
    signs: tuple[str, str | None],
    bounds: tuple[float | None, float | None],
) -> None:
    column = profile("v", pl.Series(texts, dtype=pl.String))
    assert (column.kind, (column.form.decimal, column.form.thousands)) == (kind, signs)
    assert (column.lowest, column.highest) == bounds


def test_words_for_no_value_are_counted() -> None:
    column = profile("v", pl.Series(["1", "2", "NA", "NA", "-", "oops"]))
    assert column.kind == "number"
    assert column.missing == (("NA", 2), ("-", 1))
    assert column.odd == (("oops", 1),)
    assert "'NA' in 2, for no value" in column.saw


@pytest.mark.parametrize(("others", "sentinel"), [(["1", "2.5", "3"], "-9999"), (["-9000", "-9998"], None)])
def test_a_number_far_from_all_others_may_stand_for_no_value(others: list[str], sentinel: str | None) -> None:
    assert profile("v", pl.Series([*others, "-9999", "-9999"])).sentinel == sentinel


def test_whole_numbers_are_whole() -> None:
    assert profile("v", pl.Series(["1", "20"])).whole
    assert not profile("v", pl.Series(["1", "2.0"])).whole


def test_whole_numbers_beyond_doubles_are_integers() -> None:
    assert profile("v", pl.Series(["1", "9007199254740993"])).type == "integer"
    assert profile("v", pl.Series(["1", "2"])).type == "double"


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["true", "False"], "boolean"),
        (['{"a":1}'], "struct"),
        (["[1,2]", "[]"], "array"),
        (["on", "true"], "string"),
    ],
)
def test_words_of_a_type(texts: list[str], kind: str) -> None:
    assert profile("v", pl.Series(texts)).type == kind


def test_where_commas_are_decimal_points_part_thousands() -> None:
    frame = pl.DataFrame({"0": ["1,5", "2,5"], "1": ["1.200", "1.201"]})
    first, second = profiles(Look(frame, ("P", "Q"), "", whole=True))
    assert (first.form.decimal, second.form.decimal, second.form.thousands) == (",", ",", ".")
    assert (second.lowest, second.highest) == (1200, 1201)


def test_a_comma_may_part_thousands_and_only_another_column_says_so() -> None:
    texts = {"0": ["1,234", "2,500"], "1": ["1.5", "2.5"]}
    alone = profile("P", pl.Series(texts["0"]))
    assert alone.rival is not None
    assert not values_of([alone]).form.sure
    counted, _ = profiles(Look(pl.DataFrame(texts), ("P", "Q"), "", whole=True))
    assert (counted.form, counted.rival, counted.highest) == (NumberForm(".", ","), None, 2500)
