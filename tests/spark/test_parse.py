"""What becomes of a record's bytes: a table of cases, one Spark job for all of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.parse.reasons import Reason
from headrace_spark.parse import parse
from testbed.records import TOPIC_ID, Sent, contract, records

TIME = '"time": "01 01 2018 00:10"'


def _json(fields: str) -> bytes:
    return f"{{{TIME}, {fields}}}".encode()


def _at(time: str) -> bytes:
    return f'{{"time": "{time}"}}'.encode()


READ: dict[str, tuple[bytes, dict[str, str | None]]] = {
    "text": (_json('"p": "12.50"'), {"Power (kW)": "12.50"}),
    "number as written": (_json('"p": 1.50e1'), {"Power (kW)": "1.50e1"}),
    "negative zero": (_json('"p": -0'), {"Power (kW)": "-0"}),
    "long number": (_json('"other": 123456789012345678901234567890'), {"other": "1234567890" * 3}),
    "number beyond a double": (_json('"other": 1e400'), {"other": "1e400"}),
    "by its other name": (_json('"Power (kW)": 7'), {"Power (kW)": "7"}),
    "missing": (f"{{{TIME}}}".encode(), {}),
    "null": (_json('"p": null'), {"Power (kW)": None}),
    "empty text": (_json('"p": ""'), {"Power (kW)": ""}),
    "string signal": (_json('"state": "on"'), {"state": "on"}),
    "true": (_json('"state": true'), {"state": "true"}),
    "object": (
        _json('"o": {"b": [1.50, "2", {"c": null}], "a": "x"}'),
        {"o": '{"b":[1.50,"2",{"c":null}],"a":"x"}'},
    ),
    "escapes": (_json(r'"o": "\"\\ \u00e9 \ud83d\ude00 \n"'), {"o": '"\\ é 😀 \n'}),
    "escaped backslash before u": (_json(r'"o": "\\ud800"'), {"o": r"\ud800"}),
    "text that looks like json": (_json(r'"o": "{\"p\": 1}", "p": 2'), {"o": '{"p": 1}', "Power (kW)": "2"}),
    "text that looks like a number's place": (_json(r'"a": ": 5", "b": "\": 6"'), {"a": ": 5", "b": '": 6'}),
    "blanks around": (b" \r\n" + _json('"p": 3') + b"\t\n", {"Power (kW)": "3"}),
    "blank name": (_json('"": 1'), {"": "1"}),
    "field with NUL": (_json(r'"\u0000": "\u0000"'), {"\0": "\0"}),
    "deep but possible": (_json(f'"o": {"[" * 900}{"]" * 900}'), {"o": "[" * 900 + "]" * 900}),
    "10,000 fields": (
        _json(", ".join(f'"f{i}": {i}' for i in range(10_000))),
        {f"f{i}": str(i) for i in range(10_000)},
    ),
    "a million characters": (_json(f'"o": "{"x" * 1_000_000}"'), {"o": "x" * 1_000_000}),
    "our reader's mark in a text": (_json('"o": "\uffff1", "p": 1.0'), {"o": "\uffff1", "Power (kW)": "1.0"}),
    "our reader's mark escaped": (
        _json(r'"o": ["\uFFfF1", 2, "\\uffff"]'),
        {"o": '["\uffff1",2,"\\\\uffff"]'},
    ),
    "our reader's mark as a name": (_json('"\uffff": 1'), {"\uffff": "1"}),
    "100,000 escapes": (_json('"o": "' + r"\n" * 100_000 + '"'), {"o": "\n" * 100_000}),
}
"""Records that become readings, with their signals."""

REFUSED: dict[str, tuple[bytes | None, Reason]] = {
    "tombstone": (None, Reason.EMPTY),
    "no bytes": (b"", Reason.EMPTY),
    "blank": (b"  ", Reason.NOT_AN_OBJECT),
    "latin-1": (_json('"o": "é"').decode().encode("latin-1"), Reason.NOT_UTF8),
    "overlong": (b'{"time": "\xc0\xaf"}', Reason.NOT_UTF8),
    "surrogate bytes": (b'{"time": "\xed\xa0\x80"}', Reason.NOT_UTF8),
    "utf-16": ('{"time": "x"}'.encode("utf-16"), Reason.NOT_UTF8),
    "lone high surrogate": (_json(r'"o": "\ud800x"'), Reason.NOT_UTF8),
    "lone low surrogate": (_json(r'"o": "\\\udc00"'), Reason.NOT_UTF8),
    "list": (b"[" + _json('"p": 1') + b"]", Reason.NOT_AN_OBJECT),
    "number": (b"1", Reason.NOT_AN_OBJECT),
    "null": (b"null", Reason.NOT_AN_OBJECT),
    "text": (b'"x"', Reason.NOT_AN_OBJECT),
    "cut off": (_json('"p": 1')[:-1], Reason.NOT_AN_OBJECT),
    "garbage behind": (_json('"p": 1') + b" x", Reason.NOT_AN_OBJECT),
    "NUL behind": (_json('"p": 1') + b"\0", Reason.NOT_AN_OBJECT),
    "a second object": (_json('"p": 1') + _json('"p": 2'), Reason.NOT_AN_OBJECT),
    "a second element": (_json('"p": 1') + b"," + _json('"p": 2'), Reason.NOT_AN_OBJECT),
    "a bracket behind": (_json('"p": 1') + b"]", Reason.NOT_AN_OBJECT),
    "brackets that would close ours": (_json('"p": 1') + b"],[{}", Reason.NOT_AN_OBJECT),
    "single quotes": (b"{'time': '01 01 2018 00:10'}", Reason.NOT_AN_OBJECT),
    "comment": (_json('/* */"p": 1'), Reason.NOT_AN_OBJECT),
    "leading zero": (_json('"p": 01'), Reason.NOT_AN_OBJECT),
    "bare point": (_json('"p": 1.'), Reason.NOT_AN_OBJECT),
    "plus": (_json('"p": +1'), Reason.NOT_AN_OBJECT),
    "byte-order mark": (b"\xef\xbb\xbf" + _json('"p": 1'), Reason.NOT_AN_OBJECT),
    "1,000 levels": (_json(f'"o": {"[" * 1000}{"]" * 1000}'), Reason.NOT_AN_OBJECT),
    "100,000 levels": (_json('"o": ' + '{"a":' * 100_000 + "1" + "}" * 100_000), Reason.NOT_AN_OBJECT),
    "twice": (_json('"p": 1, "p": 1'), Reason.REPEATED_FIELD),
    "under two names": (_json('"p": 1, "Power (kW)": 1'), Reason.REPEATED_FIELD),
    "no time": (b'{"p": 1}', Reason.MISSING_FIELD),
    "null time": (b'{"time": null}', Reason.MISSING_FIELD),
    "empty time": (_at(""), Reason.MISSING_FIELD),
    "31 February": (_at("31 02 2018 00:00"), Reason.BAD_EVENT_TIME),
    "short": (_at("1 1 2018 0:00"), Reason.BAD_EVENT_TIME),
    "full-width digits": (_at("０１ 01 2018 00:00"), Reason.BAD_EVENT_TIME),
    "just too late": (_at("01 01 2262 00:00"), Reason.LATE_EVENT_TIME),
    "year 9999": (_at("31 12 9999 23:59"), Reason.LATE_EVENT_TIME),
    "a year that Python has not": (_at("01 01 +12018 00:00"), Reason.LATE_EVENT_TIME),
    "the last year of Spark": (_at("01 01 +294247 00:00"), Reason.BAD_EVENT_TIME),
    "a year that Spark has not": (_at("01 01 +294248 00:00"), Reason.BAD_EVENT_TIME),
    "the last year of Java": (_at("31 12 +999999999 23:59"), Reason.BAD_EVENT_TIME),
    "a year before the year 0": (_at("01 01 -0044 00:00"), Reason.EARLY_EVENT_TIME),
    "the first year of Java": (_at("01 01 -999999999 00:00"), Reason.BAD_EVENT_TIME),
    "five-digit year": (_at("01 01 12018 00:00"), Reason.BAD_EVENT_TIME),
    "text behind the time": (_at("01 01 2018 00:00 "), Reason.BAD_EVENT_TIME),
    "a time that a clock change skips": (_at("27 03 2016 03:30"), Reason.BAD_EVENT_TIME),
    "year 1": (_at("01 01 0001 00:00"), Reason.EARLY_EVENT_TIME),
    "just too early": (_at("31 12 1999 23:59"), Reason.EARLY_EVENT_TIME),
    "NaN": (_json('"p": NaN'), Reason.NOT_A_NUMBER),
    "Infinity": (_json('"p": -Infinity'), Reason.NOT_A_NUMBER),
    "NaN as text": (_json('"p": "NaN"'), Reason.NOT_A_NUMBER),
    "beyond a double": (_json('"p": 1e400'), Reason.NOT_A_NUMBER),
    "2,000 digits": (_json(f'"p": {"9" * 2000}'), Reason.NOT_A_NUMBER),
    "word": (_json('"p": "many"'), Reason.NOT_A_NUMBER),
    "Java's suffix": (_json('"p": "1d"'), Reason.NOT_A_NUMBER),
    "hexadecimal": (_json('"p": "0x1p3"'), Reason.NOT_A_NUMBER),
    "blank around": (_json('"p": " 1"'), Reason.NOT_A_NUMBER),
    "full-width number": (_json('"p": "１"'), Reason.NOT_A_NUMBER),
    "our reader's mark": (_json('"p": "\uffff1"'), Reason.NOT_A_NUMBER),
    "our reader's mark escaped": (_json(r'"p": "\uffff1"'), Reason.NOT_A_NUMBER),
    "true as number": (_json('"p": true'), Reason.NOT_A_NUMBER),
    "object as number": (_json('"p": {}'), Reason.NOT_A_NUMBER),
    "below": (_json('"p": -0.1'), Reason.OUT_OF_RANGE),
    "above": (_json('"p": 100.1'), Reason.OUT_OF_RANGE),
}
"""Records that are refused, with the reason."""


@pytest.fixture(scope="module")
def parsed(spark: SparkSession) -> dict[str, Any]:
    """Every case's row by the case's name."""
    cases: dict[str, bytes | None] = {f"read {name}": value for name, (value, _) in READ.items()}
    cases |= {f"refused {name}": value for name, (value, _) in REFUSED.items()}
    frame = parse(records(spark, [Sent(value) for value in cases.values()]), contract(), TOPIC_ID)
    rows = frame.select("refusal", "signals", "provenance").collect()  # Python has no year 0001 in this zone
    return dict(zip(cases, sorted(rows, key=lambda row: int(row.provenance.offset)), strict=True))


@pytest.mark.parametrize("name", READ)
def test_it_reads(parsed: dict[str, Any], name: str) -> None:
    row = parsed[f"read {name}"]
    assert row.refusal is None
    assert row.signals == READ[name][1]
    assert row.provenance.identity == '["01 01 2018 00:10"]'


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses(parsed: dict[str, Any], name: str) -> None:
    row = parsed[f"refused {name}"]
    reason = REFUSED[name][1]
    assert row.refusal is not None
    assert row.refusal.reason == reason.value
    assert row.refusal.message.startswith(reason.text)


def _one(spark: SparkSession, sent: Sent, **changes: Any) -> Any:
    return parse(records(spark, [sent]), contract(**changes), TOPIC_ID).collect()[0]


def _record(**changes: Any) -> dict[str, Any]:
    return {"record": contract().record.model_dump(mode="json") | changes}


def test_a_time_is_of_the_contracts_zone(spark: SparkSession) -> None:
    row = _one(spark, Sent(_at("01 01 2018 00:10")))
    assert row.signal_ts.astimezone(UTC) == datetime(2017, 12, 31, 21, 10, tzinfo=UTC)


def test_an_unknown_field_is_refused_where_the_contract_says_so(spark: SparkSession) -> None:
    refused = _one(spark, Sent(_json('"p": 1, "q": 2')), landing={"unknown_fields": "quarantine"})
    assert (refused.refusal.reason, refused.refusal.message[-1]) == ("unknown_field", "q")
    assert _one(spark, Sent(_json('"p": 1')), landing={"unknown_fields": "quarantine"}).refusal is None


def test_a_required_signal_and_the_entity_must_be_there(spark: SparkSession) -> None:
    signals = [{"name": "p", "fields": ["p"], "required": True}]
    changed = _record(signals=signals, entity="device")
    assert _one(spark, Sent(_json('"p": "", "device": "a"')), **changed).refusal.message.endswith("field p")
    assert _one(spark, Sent(_json('"p": 1')), **changed).refusal.message.endswith("field device")
    row = _one(spark, Sent(_json('"p": 1, "device": "a"')), **changed)
    assert (row.refusal, row.entity, row.signals) == (None, "a", {"p": "1"})


def test_without_a_declared_identity_it_is_source_and_row_else_the_offset(spark: SparkSession) -> None:
    headers = (("headrace-publication", b"abc"), ("headrace-row", b"7"))
    row = _one(spark, Sent(_json('"p": 1'), headers), **_record(identity=None))
    assert (row.provenance.publication, row.provenance.row) == ("abc", 7)
    assert row.provenance.identity == '["abc","7"]'
    plain = _one(spark, Sent(_json('"p": 1')), **_record(identity=None))
    assert plain.provenance.identity == f'["{TOPIC_ID}","0","0"]'


@pytest.mark.parametrize("row", [b"", b"x", b"9" * 30, b"\xff", None])
def test_hostile_headers_are_no_row(spark: SparkSession, row: bytes | None) -> None:
    headers = (("headrace-publication", b"\xff"), ("headrace-row", row), ("headrace-row", b"1"))
    parsed = _one(spark, Sent(_json('"p": 1'), headers))
    assert (parsed.refusal, parsed.provenance.publication, parsed.provenance.row) == (None, None, None)
