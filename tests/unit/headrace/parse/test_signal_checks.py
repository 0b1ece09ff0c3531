"""A signal's text is of its type, exactly; its bounds, values and pattern are held against what it means."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.parse.reasons import Reason
from testbed.arrow_records import parsed
from testbed.fuzzed import NO_NUMBERS
from testbed.parse_cases import Sent, contract, fields


def _rows(texts: list[str], record: dict[str, Any] | None = None, **signal: Any) -> list[dict[str, Any]]:
    """What becomes of records in which one signal has these texts."""
    shape = contract().record.model_dump(mode="json") | (record or {})
    shape["signals"] = [{"name": "v", "fields": ["v"]} | signal]
    sent = [Sent(fields(f'"v": {json.dumps(text)}')) for text in texts]
    return parsed(sent, contract(record=shape))


def _reasons(texts: list[str], record: dict[str, Any] | None = None, **signal: Any) -> list[str | None]:
    return [row["reason"] for row in _rows(texts, record, **signal)]


GOOD = {
    "integer": ["0", "-7", "+7", "007", "9007199254740993", "9223372036854775807", "-9223372036854775808"],
    "decimal(5, 2)": ["0", "123.45", "-123.45", "+.5", "5.", "000123.4500", "999.99"],
    "decimal(38, 0)": ["9" * 38, "-" + "9" * 38],
    "decimal(3, 3)": [".999", "0.123", "-0.5"],
    "boolean": ["true", "false", "TRUE", "False"],
    "string": ["anything", "1", "NaN"],
    "timestamp": ["2024-05-30T22:21:31Z", "2024-05-30"],
    "array": ["[]", '[1, {"a": [2]}]', '["x"]'],
    "struct": ["{}", '{"a": 1, "a": [2]}'],
}
"""Texts of each type."""

WRONG = {
    "integer": [*NO_NUMBERS, "1.0", "1e3", "9223372036854775808", "-9223372036854775809", "many", "1 000"],
    "decimal(5, 2)": [*NO_NUMBERS, "1234", "1000.0", "0.123", "1e2", ".", "-", "1.2.3"],
    "decimal(38, 0)": ["1" + "0" * 38, "0.1"],
    "decimal(3, 3)": ["1", "1.000", "0.1234"],
    "boolean": ["yes", "0", "1", "true ", "t"],
    "timestamp": ["2024-02-30", "yesterday", "1717107691", "2024-05-30T22:21:31Z "],
    "array": ["{}", "[1, 2", "[1] [2]", "[01]", "x", "1", " []"],
    "struct": ["[]", '{"a": 1', "{a: 1}", "{}}", '{"a": NaN}'],
}
"""Texts of no such type."""


@pytest.mark.parametrize("kind", GOOD)
def test_a_text_of_its_type_is_kept_as_it_was_written(kind: str) -> None:
    rows = _rows(GOOD[kind], type=kind)
    assert [row["message"] for row in rows] == [None] * len(GOOD[kind])
    assert [row["signals"]["v"] for row in rows] == GOOD[kind]


@pytest.mark.parametrize("kind", WRONG)
def test_a_text_of_another_type_is_refused_and_named(kind: str) -> None:
    for text, row in zip(WRONG[kind], _rows(WRONG[kind], type=kind), strict=True):
        assert row["message"] == f"{Reason.WRONG_TYPE.text}; signal v, {kind}: {text[:80]}", text


def test_json_values_are_read_like_their_texts() -> None:
    values = {
        "integer": 5,
        "boolean": True,
        "array": [1, 2.50],
        "struct": {"a": None},
        "timestamp": "2024-01-01",
    }
    for kind, value in values.items():
        shape = contract().record.model_dump(mode="json")
        shape["signals"] = [{"name": "v", "fields": ["v"], "type": kind}]
        [row] = parsed([Sent(fields(f'"v": {json.dumps(value)}'))], contract(record=shape))
        assert row["reason"] is None, kind


def test_what_is_not_there_is_of_every_type() -> None:
    for kind in (*GOOD, "double"):
        assert _reasons(["", ""], type=kind) == [None, None]


def test_a_timestamp_has_a_format_and_the_contracts_zone() -> None:
    texts = ["27.03.2016 02:30", "27.03.2016 03:30", "1459035000"]  # the second is skipped in Istanbul
    found = _reasons(texts, type="timestamp", format=["dd.MM.yyyy HH:mm", "epoch_s"])
    assert found == [None, "wrong_type", None]


@settings(max_examples=60, deadline=None, database=None)
@given(
    values=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=20, max_size=20),
    minimum=st.integers(-(2**63), 2**63 - 1),
    near=st.booleans(),
)
def test_bounds_of_integers_are_exact(values: list[int], minimum: int, near: bool) -> None:
    """Beyond 2^53 doubles know every second number only, and fewer."""
    if near:
        values = [max(-(2**63), min(2**63 - 1, minimum + step)) for step in range(-10, 10)]
    found = _reasons([str(value) for value in values], type="integer", minimum=minimum)
    assert found == ["out_of_range" if value < minimum else None for value in values]


@settings(max_examples=60, deadline=None, database=None)
@given(
    values=st.lists(st.decimals(-(10**10), 10**10, places=6), min_size=20, max_size=20),
    maximum=st.decimals(-(10**6), 10**6, places=3),
)
def test_bounds_of_decimals_are_exact(values: list[Decimal], maximum: Decimal) -> None:
    values = [*values, maximum, maximum + Decimal("0.000001"), maximum - Decimal("0.000001")]
    found = _reasons([f"{value:f}" for value in values], type="decimal(38, 6)", maximum=float(maximum))
    assert found == ["out_of_range" if value > maximum else None for value in values]


def test_bounds_of_decimals_are_exact_beyond_doubles() -> None:
    bound = 123456789012345678901
    texts = [f"{bound}.000001", f"{bound}", f"{bound - 1}.999999"]
    assert _reasons(texts, type="decimal(38, 6)", maximum=bound) == ["out_of_range", None, None]
    assert _reasons(texts, type="decimal(38, 6)", one_of=[bound]) == ["not_allowed", None, "not_allowed"]


def test_a_refused_number_names_its_bound() -> None:
    [row] = _rows(["9007199254740992"], type="integer", minimum=9007199254740993)
    assert row["message"].endswith("; signal v, minimum 9007199254740993: 9007199254740992")


@pytest.mark.parametrize(
    ("signal", "texts", "reasons"),
    [
        ({"type": "string", "one_of": ["on", "off"]}, ["on", "of", "", "ON"], [0, 1, 0, 1]),
        ({"type": "integer", "one_of": [0, 1, 2**53 + 1]}, ["1", "+01", "3", f"{2**53}"], [0, 0, 1, 1]),
        ({"type": "decimal(4, 2)", "one_of": [0.1, 2]}, ["0.10", ".1", "2.00", "0.11"], [0, 0, 0, 1]),
        ({"one_of": [0.1]}, ["0.1", "1e-1", "0.2"], [0, 0, 1]),
        (
            {"type": "string", "pattern": "[A-Z]{2}|x"},
            ["AB", "x", "ABC", "aB", "AB\n", ""],
            [0, 0, 1, 1, 1, 0],
        ),
    ],
)
def test_only_values_that_are_taken_are_read(
    signal: dict[str, Any], texts: list[str], reasons: list[int]
) -> None:
    assert _reasons(texts, **signal) == [Reason.NOT_ALLOWED.value if each else None for each in reasons]


def test_a_value_that_is_not_taken_is_named_with_those_that_are() -> None:
    [row] = _rows(["of"], type="string", one_of=["on", "off"])
    assert row["message"] == f"{Reason.NOT_ALLOWED.text}; signal v, one of on, off: of"
    [row] = _rows(["of"], type="string", pattern="on|off")
    assert row["message"] == f"{Reason.NOT_ALLOWED.text}; signal v, pattern on|off: of"


COMMA = {"decimal": ",", "thousands": "."}
FORMS: dict[str, tuple[dict[str, Any], dict[str, float | None]]] = {
    "decimal comma": ({"decimal": ","}, {"0,5": 0.5, "1,5e1": 15, ",5": 0.5, "-2,": -2, "3": 3, "1.5": None}),
    "and a point between thousands": (
        COMMA,
        {"1.200,25": 1200.25, "1200,25": 1200.25, "1.200": 1200, "12.345.678": 12345678, "1.20,5": None}
        | {"1,200.25": None, "12.3456": None, ".200": None, "1..200": None, "1.2000,5": None},
    ),
    "a comma between thousands": (
        {"thousands": ","},
        {"1,200.25": 1200.25, "-1,200": -1200, "1,200,300": 1200300, "1,2": None, "1.200,25": None},
    ),
    "a blank between thousands": (
        {"thousands": " ", "decimal": ","},
        {"1 200,5": 1200.5, "1\u00a0200,5": 1200.5, "1\u202f200": 1200, " 200": None, "1  200": None},
    ),
    "an apostrophe": ({"thousands": "'"}, {"1'200.5": 1200.5, "1\u2019200": 1200}),
    "a line below": ({"thousands": "_"}, {"1_200": 1200, "1_0": None}),
    "the signal's own form": ({"decimal": "."}, {"1.5": 1.5, "1,5": None}),
}
"""Case 02 and its like: how numbers are written, with what they mean."""


@pytest.mark.parametrize("name", FORMS)
def test_a_number_is_read_in_the_contracts_form_and_its_text_is_kept(name: str) -> None:
    form, texts = FORMS[name]
    record, own = (form, {}) if name != "the signal's own form" else (COMMA, form)
    for text, row in zip(texts, _rows(list(texts), record, **own), strict=True):
        assert row["reason"] == (None if texts[text] is not None else "not_a_number"), text
        assert row["signals"] is None or row["signals"]["v"] == text
    good = [text for text, value in texts.items() if value is not None]
    for text in good:
        value = texts[text]
        assert _reasons([text], record, **own, minimum=value, maximum=value) == [None], text


def test_integers_and_decimals_have_the_same_form() -> None:
    assert _reasons(["1.200", "1.20", "1200"], COMMA, type="integer", maximum=1200) == [
        None,
        "wrong_type",
        None,
    ]
    found = _reasons(["1.200,50", "1.200,5", "1.200,555"], COMMA, type="decimal(6, 2)", minimum=1200.5)
    assert found == [None, None, "wrong_type"]
