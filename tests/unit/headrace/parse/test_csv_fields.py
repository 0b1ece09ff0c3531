"""A record that is a line of CSV has the contract's columns, each its text without quotes."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.parse.csv_fields import CsvLine
from testbed.arrow_records import parsed
from testbed.parse_cases import Sent, contract

RECORD = {
    "format": "csv",
    "columns": ["at", "level", "note"],
    "delimiter": ";",
    "identity": ["at"],
    "event_time": {"field": "at", "format": "iso"},
    "decimal": ",",
    "signals": [
        {"name": "level", "fields": ["level"], "maximum": 5},
        {"name": "note", "fields": ["note"], "type": "string"},
    ],
}


@pytest.mark.parametrize(
    ("line", "signals"),
    [
        ("2024-01-01;1,5;on", {"level": "1,5", "note": "on"}),
        ("2024-01-01;1,5;on\r\n", {"level": "1,5", "note": "on"}),
        ('"2024-01-01";"1,5";"a ""b"" ;\nc"', {"level": "1,5", "note": 'a "b" ;\nc'}),
        ("2024-01-01;;", {"level": "", "note": ""}),
    ],
)
def test_a_line_is_a_reading(line: str, signals: dict[str, str]) -> None:
    [row] = parsed([Sent(line.encode())], contract(record=RECORD))
    assert (row["reason"], row["signals"]) == (None, signals)
    assert row["provenance"]["identity"] == '["2024-01-01T00:00:00Z"]'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"2024-01-01;1,5", "not_a_row"),
        (b"2024-01-01;1,5;a;b", "not_a_row"),
        (b'2024-01-01;1,5;"a', "not_a_row"),
        (b'2024-01-01;1,5;"a"b', "not_a_row"),
        (b"2024-01-01;1;a\n2024-01-02;1;a", "not_a_row"),
        (b"\r\n", "not_a_row"),
        (b"", "empty"),
        (None, "empty"),
        (b"2024-01-01;1;\xff", "not_utf8"),
        (b"2024-01-01;9;a", "out_of_range"),
    ],
)
def test_what_is_no_line_of_those_columns_is_refused(line: bytes | None, reason: str) -> None:
    [row] = parsed([Sent(line)], contract(record=RECORD))
    assert (row["reason"], row["value"]) == (reason, line)


@settings(max_examples=200, deadline=None, database=None)
@given(values=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5))
def test_what_python_writes_is_read(values: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(values)
    names = tuple(f"c{number}" for number in range(len(values)))
    assert CsvLine(names, ",")(written.getvalue().encode()) == (names, values)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"columns": []}, "columns are those of format csv, which cannot be read without them"),
        ({"format": "json"}, "columns are those of format csv"),
        ({"columns": ["at", "level", "note", "at"]}, "a name stands twice in columns"),
        ({"columns": ["at", "level"]}, "field 'note': a record of format csv has only at, level"),
        ({"delimiter": '"'}, "delimiter is a quote or the end of a line"),
    ],
)
def test_columns_that_do_not_fit_are_named(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        contract(record=RECORD | changed)
