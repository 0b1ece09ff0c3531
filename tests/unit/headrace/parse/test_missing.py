"""What stands for no value is missing, in one signal or in all fields; and blanks about texts."""

import json
from typing import Any

import pytest

from testbed.arrow_records import parsed
from testbed.parse_cases import Sent, contract

SIGNALS = [
    {"name": "a", "fields": ["a"]},
    {"name": "b", "fields": ["b", "b2"], "minimum": 0},
    {"name": "c", "fields": ["c"], "type": "string"},
]


def _rows(*records: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    shape = contract().record.model_dump(mode="json") | {"signals": SIGNALS} | changes
    at = {"time": "01 01 2018 00:10"}
    return parsed([Sent(json.dumps(at | each).encode()) for each in records], contract(record=shape))


CASE_11 = [
    {"a": "1", "b": "NaN", "c": "3"},
    {"a": "NA", "b": "2", "c": "3"},
    {"a": "1", "b": "null", "c": "3"},
    {"a": "1", "b": "-", "c": "3"},
    {"a": "", "b": "", "c": ""},
    {"a": "1", "b": "-9999", "c": "?"},
    {"a": "1", "b": "2", "c": "3"},
]


def test_every_marker_of_case_11_is_missing_where_the_contract_says_so() -> None:
    rows = _rows(*CASE_11, missing=["NA", "null", "-", "?", -9999], nan="missing")
    assert [row["reason"] for row in rows] == [None] * 7
    assert [tuple(row["signals"].values()) for row in rows] == [
        ("1", None, "3"),
        (None, "2", "3"),
        ("1", None, "3"),
        ("1", None, "3"),
        ("", "", ""),
        ("1", None, None),
        ("1", "2", "3"),
    ]


def test_without_them_such_a_record_is_refused() -> None:
    reasons = [row["reason"] for row in _rows(*CASE_11)]
    assert reasons == ["not_a_number"] * 4 + [None, "out_of_range", None]


def test_one_signals_markers_are_its_own() -> None:
    signals = [SIGNALS[0], SIGNALS[1] | {"missing": ["NA", -9999], "nan": "missing"}, SIGNALS[2]]
    records = [
        {"a": "1", "b": "NA"},
        {"b2": "nan", "a": "2"},
        {"a": "NA"},
        {"b": "1", "c": "NA"},
        {"b": -9999.0},
    ]
    rows = _rows(*records, signals=signals)
    assert [row["reason"] for row in rows] == [None, None, "not_a_number", None, None]
    assert [row["signals"] for row in rows] == [
        {"a": "1", "b": None},
        {"b": None, "a": "2"},
        None,
        {"b": "1", "c": "NA"},
        {"b": None},
    ]


@pytest.mark.parametrize("text", ["-9999", "-9999.0", "-9999.00", "-9.999e3", "-09999"])
def test_a_number_is_a_marker_by_its_value(text: str) -> None:
    assert _rows({"b": text}, missing=[-9999])[0]["signals"] == {"b": None}


@pytest.mark.parametrize("text", ["-9999", "NA", " NA", "na"])
def test_a_text_is_a_marker_to_the_letter(text: str) -> None:
    assert _rows({"c": text}, missing=["-9999.0", "NA"])[0]["signals"] == {
        "c": None if text == "NA" else text
    }


def test_markers_are_read_in_the_form_of_numbers() -> None:
    rows = _rows({"a": "-9.999,0"}, {"a": "1,5"}, missing=[-9999], decimal=",", thousands=".")
    assert [row["signals"] for row in rows] == [{"a": None}, {"a": "1,5"}]


def test_a_missing_value_that_is_required_is_refused() -> None:
    signals = [SIGNALS[0] | {"required": True}]
    [row] = _rows({"a": "NA"}, signals=signals, missing=["NA"])
    assert (row["reason"], row["message"][-7:]) == ("missing_field", "field a")
    [row] = _rows({"time": "n/a"}, missing=["n/a"])
    assert (row["reason"], row["message"][-10:]) == ("missing_field", "field time")


def test_the_bytes_of_a_refused_record_are_what_they_were() -> None:
    [row] = _rows({"a": "many", "b": "NA"}, missing=["NA"])
    assert b'"NA"' in row["value"]


def test_blanks_about_a_text_are_not_its_own_where_the_contract_says_so() -> None:
    record = {"time": " 01 01 2018 00:10\t", "a": " 1", "c": "\u00a0on \n", "d": " x "}
    assert _rows(record)[0]["reason"] == "bad_event_time"
    [row] = _rows(record, trim=True)
    assert row["signals"] == {"a": "1", "c": "on", "d": "x"}
    assert row["provenance"]["identity"] == '["01 01 2018 00:10"]'
    assert _rows({"a": " NA "}, trim=True, missing=["NA"])[0]["signals"] == {"a": None}
