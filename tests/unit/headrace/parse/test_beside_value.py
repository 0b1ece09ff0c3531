"""Fields out of a record's key and headers, whatever bytes these are."""

import json
import struct
from typing import Any

import pytest

from headrace.parse.beside_value import LONGEST_HEADER
from headrace.parse.reasons import Reason
from testbed.arrow_records import parsed
from testbed.parse_cases import Sent, contract

VALUE = b'{"at": "2024-05-01T10:00:00", "v": 1}'


def _rows(*sent: Sent, **record: Any) -> list[dict[str, Any]]:
    whole = {
        "event_time": {"field": "at", "format": "iso"},
        "signals": [{"name": "v", "fields": ["v"]}],
    } | record
    return parsed(sent, contract(record=whole))


KEYS: dict[str, tuple[dict[str, Any], bytes | None, dict[str, str | None]]] = {
    "text": ({"format": "text", "field": "device"}, "süd".encode(), {"device": "süd"}),
    "empty text": ({"format": "text", "field": "device"}, b"", {"device": ""}),
    "no key": ({"format": "text", "field": "device"}, None, {}),
    "int32": ({"format": "int32", "field": "n"}, struct.pack(">i", -7), {"n": "-7"}),
    "int64": ({"format": "int64", "field": "n"}, struct.pack(">q", 2**62 + 1), {"n": str(2**62 + 1)}),
    "json text": ({"format": "json", "field": "id"}, b'"a"', {"id": "a"}),
    "json number": ({"format": "json", "field": "id"}, b"1.50", {"id": "1.50"}),
    "json object": ({"format": "json", "field": "id"}, b'{"a": 1}', {"id": '{"a":1}'}),
    "json null": ({"format": "json", "field": "id"}, b"null", {"id": None}),
    "json path": (
        {"format": "json", "paths": {"id": "payload.id", "x": "x"}},
        b'{"payload": {"id": 7}}',
        {"id": "7"},
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_a_field(name: str) -> None:
    how, key, expected = KEYS[name]
    [row] = _rows(Sent(VALUE, key=key), key=how)
    assert row["reason"] is None
    assert row["signals"] == {"v": "1", **expected}


BAD_KEYS: dict[str, tuple[dict[str, Any], bytes]] = {
    "latin-1": ({"format": "text", "field": "device"}, b"s\xfcd"),
    "three bytes": ({"format": "int32", "field": "n"}, b"abc"),
    "nine bytes": ({"format": "int64", "field": "n"}, b"123456789"),
    "no json": ({"format": "json", "field": "id"}, b"{"),
    "blank": ({"format": "json", "field": "id"}, b""),
    "latin-1 json": ({"format": "json", "field": "id"}, b'"\xfc"'),
    "too deep": ({"format": "json", "field": "id"}, b"[" * 100_000),
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_key_that_cannot_be_read_refuses_its_record_alone(name: str) -> None:
    how, key = BAD_KEYS[name]
    bad, good = _rows(Sent(VALUE, key=key), Sent(VALUE), key=how)
    assert (bad["reason"], bad["key"], bad["value"]) == (Reason.BAD_KEY, key, VALUE)
    assert good["reason"] is None


def test_a_key_can_be_entity_and_identity() -> None:
    how = {"key": {"format": "text", "field": "device"}, "entity": "device", "identity": ["device", "at"]}
    with_key, without = _rows(Sent(VALUE, key=b"a"), Sent(VALUE), **how)
    assert (with_key["entity"], json.loads(with_key["provenance"]["identity"])[-1]) == ("a", "a")
    assert without["reason"] == Reason.MISSING_FIELD


HEADERS: dict[str, tuple[list[tuple[str, bytes | None]], dict[str, str]]] = {
    "one": ([("trace", b"t1"), ("other", b"\xff")], {"t": "t1"}),
    "of two the last": ([("trace", b"t1"), ("u", b"x"), ("trace", b"t2")], {"t": "t2", "u": "x"}),
    "another case": ([("Trace", b"t1")], {}),
    "none": ([], {}),
    "null": ([("trace", None)], {}),
    "empty": ([("trace", b"")], {"t": ""}),
    "the longest": ([("trace", b"x" * LONGEST_HEADER)], {"t": "x" * LONGEST_HEADER}),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_a_field(name: str) -> None:
    headers, expected = HEADERS[name]
    around = Sent(VALUE, headers=[("trace", b"another record's")])
    _, row, _ = _rows(around, Sent(VALUE, headers=headers), around, headers={"t": "trace", "u": "u"})
    assert row["reason"] is None
    assert row["signals"] == {"v": "1", **expected}


@pytest.mark.parametrize("value", [b"\xff\xfe", b"x" * (LONGEST_HEADER + 1)])
def test_a_header_that_is_no_text_refuses_its_record(value: bytes) -> None:
    [row] = _rows(Sent(VALUE, headers=[("trace", value)]), headers={"t": "trace"})
    assert (row["reason"], row["message"].endswith("field t")) == (Reason.BAD_HEADER, True)
    assert row["headers"] == [{"key": "trace", "value": value}]


def test_a_header_that_stands_in_the_value_too_is_repeated() -> None:
    [row] = _rows(Sent(VALUE, headers=[("v", b"2")]), headers={"v": "v"})
    assert row["reason"] == Reason.REPEATED_FIELD


def test_the_value_is_to_blame_first() -> None:
    how = {"key": {"format": "text", "field": "device"}, "headers": {"t": "trace"}}
    [row] = _rows(Sent(b"{", key=b"\xff", headers=[("trace", b"\xff")]), **how)
    assert row["reason"] == Reason.NOT_AN_OBJECT


def test_a_line_of_text_has_key_and_headers_too() -> None:
    how = {
        "format": "text",
        "event_time": {"from": "kafka_timestamp"},
        "signals": [{"name": "line", "fields": ["text"], "type": "string"}],
        "key": {"format": "text", "field": "host"},
        "entity": "host",
    }
    [row] = _rows(Sent(b"hello", key=b"a"), **how)
    assert (row["entity"], row["signals"]) == ("a", {"line": "hello"})
