"""What becomes of a record's bytes, by the pure parser: the cases that the Spark parser is held to."""

import pickle
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from headrace.parse.parser import PARSED, RECORDS, Parser
from headrace.parse.reasons import Reason
from testbed.arrow_records import batch, parsed
from testbed.hostile_records import CASES, DEFINITION
from testbed.parse_cases import READ, REFUSED, TOPIC_ID, Sent, at, contract, fields


@pytest.mark.parametrize("name", READ)
def test_it_reads(name: str) -> None:
    value, signals = READ[name]
    row = _one(Sent(value))
    assert (row["reason"], row["message"]) == (None, None)
    assert row["signals"] == signals
    assert row["provenance"]["identity"] == '["01 01 2018 00:10"]'


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses(name: str) -> None:
    value, reason = REFUSED[name]
    row = _one(Sent(value))
    assert row["reason"] == reason.value
    assert row["message"].startswith(reason.text)


@pytest.mark.parametrize("name", CASES)
def test_hostile_records_become_what_they_must(name: str) -> None:
    case = CASES[name]
    row = _one(Sent(case.value, case.headers, case.key), **DEFINITION)
    if isinstance(case.becomes, Reason):
        assert row["reason"] == case.becomes
        assert row["message"].startswith(case.becomes.text)
        assert (row["key"], row["value"]) == (case.key, case.value)
        assert [(each["key"], each["value"]) for each in row["headers"]] == list(case.headers)
    else:
        assert (row["reason"], row["signals"]) == (None, case.becomes)
        assert (row["key"], row["value"], row["headers"]) == (None, None, None)


def _one(sent: Sent, **changes: Any) -> dict[str, Any]:
    [row] = parsed([sent], contract(**changes))
    return row


def _record(**changes: Any) -> dict[str, Any]:
    return {"record": contract().record.model_dump(mode="json") | changes}


def test_a_time_is_of_the_contracts_zone() -> None:
    row = _one(Sent(at("01 01 2018 00:10")))
    assert row["signal_ts"] == datetime(2017, 12, 31, 21, 10, tzinfo=UTC).timestamp() * 1_000_000


def test_an_unknown_field_is_refused_where_the_contract_says_so() -> None:
    refusing = {"landing": {"unknown_fields": "quarantine"}}
    refused = _one(Sent(fields('"p": 1, "q": 2')), **refusing)
    assert (refused["reason"], refused["message"][-8:]) == ("unknown_field", "field: q")
    assert _one(Sent(fields('"p": 1')), **refusing)["reason"] is None


@pytest.mark.parametrize(("tombstones", "reason"), [("quarantine", "empty"), ("skip_counted", "tombstone")])
def test_a_tombstone_is_refused_or_noted_and_its_key_is_kept(tombstones: str, reason: str) -> None:
    skipping = contract(landing={"tombstones": tombstones})
    rows = parsed([Sent(None, key=b"k"), Sent(b"", key=b"k")], skipping)
    assert [row["reason"] for row in rows] == [reason, "empty"]
    assert [(row["key"], row["value"]) for row in rows] == [(b"k", None), (b"k", b"")]


def test_a_required_signal_and_the_entity_must_be_there() -> None:
    signals = [{"name": "p", "fields": ["p"], "required": True}]
    changed = _record(signals=signals, entity="device")
    assert _one(Sent(fields('"p": "", "device": "a"')), **changed)["message"].endswith("field p")
    assert _one(Sent(fields('"p": 1')), **changed)["message"].endswith("field device")
    row = _one(Sent(fields('"p": 1, "device": "a"')), **changed)
    assert (row["reason"], row["entity"], row["signals"]) == (None, "a", {"p": "1"})


def test_without_a_declared_identity_it_is_source_and_row_else_the_offset() -> None:
    headers = (("headrace-publication", b"abc"), ("headrace-row", b"7"))
    provenance = _one(Sent(fields('"p": 1'), headers), **_record(identity=None))["provenance"]
    assert (provenance["publication"], provenance["row"]) == ("abc", 7)
    assert provenance["identity"] == '["abc","7"]'
    plain = _one(Sent(fields('"p": 1')), **_record(identity=None))
    assert plain["provenance"]["identity"] == f'["{TOPIC_ID}","0","0"]'


ROW_IDENTITY = b"0123456789abcdef" * 2
NO_IDENTITIES = (
    *(b"", b"7", b"\xff", ROW_IDENTITY[1:], ROW_IDENTITY * 9),
    *(ROW_IDENTITY[1:] + b"G", ROW_IDENTITY.upper(), ROW_IDENTITY + b"\n"),
)
PUBLISHED = (("headrace-publication", b"abc"), ("headrace-row", b"7"))
PLACE = f'["{TOPIC_ID}","0","0"]'


@pytest.mark.parametrize(
    ("headers", "identity"),
    [
        ([*PUBLISHED, ("headrace-identity", ROW_IDENTITY)], f'["{ROW_IDENTITY.decode()}"]'),
        (PUBLISHED, '["abc","7"]'),
        ([*PUBLISHED, ("headrace-identity", None)], '["abc","7"]'),
        ([("headrace-identity", ROW_IDENTITY)], PLACE),
        ([PUBLISHED[0], ("headrace-identity", ROW_IDENTITY)], PLACE),
        *(([*PUBLISHED, ("headrace-identity", text)], PLACE) for text in NO_IDENTITIES),
    ],
)
def test_without_a_declared_identity_the_publisher_says_it_or_the_place(
    headers: Sequence[tuple[str, bytes | None]], identity: str
) -> None:
    row = _one(Sent(fields('"p": 1'), headers), **_record(identity=None))
    assert row["provenance"]["identity"] == identity
    declared = _one(Sent(fields('"p": 1'), headers), **_record(identity=["p"]))
    assert declared["provenance"]["identity"] == '["1"]'


@pytest.mark.parametrize("row", [b"", b"x", b"9" * 30, b"\xff", None])
def test_hostile_headers_are_no_row(row: bytes | None) -> None:
    headers = (("headrace-publication", b"\xff"), ("headrace-row", row), ("headrace-row", b"1"))
    parsed_row = _one(Sent(fields('"p": 1'), headers))
    provenance = parsed_row["provenance"]
    assert (parsed_row["reason"], provenance["publication"], provenance["row"]) == (None, None, None)


# What Spark 4.2's try_cast to BIGINT answered on 2026-11-25.
ROWS = {
    b"5": 5,
    b"+5": 5,
    b" 5 ": 5,
    b"\t5\n": 5,
    b"\x005\x7f": 5,
    b"\x1c5\x1f": 5,
    b"-0": 0,
    b"007": 7,
    b"0" * 40 + b"5": 5,
    b"9223372036854775807": 2**63 - 1,
    b"-9223372036854775808": -(2**63),
    **dict.fromkeys([b"9223372036854775808", b"-9223372036854775809", b"5.0", b"5.", b"1e3", b"1_0"]),
    **dict.fromkeys([b" ", b"+", b"-", b"++5", b"+ 5", b"5L", b"0x5", b"\x855", b"\xff5", b"5\xff"]),
    **dict.fromkeys(["５".encode(), "٥".encode(), "\u00a05".encode(), "5\u3000".encode()]),
}


def test_a_row_is_what_spark_casts_to_a_bigint() -> None:
    sent = [Sent(fields('"p": 1'), [("headrace-row", text)]) for text in ROWS]
    rows = [row["provenance"]["row"] for row in parsed(sent, contract())]
    assert dict(zip(ROWS, rows, strict=True)) == ROWS


def test_one_broken_publication_hides_no_other() -> None:
    sent = [Sent(fields('"p": 1'), [("headrace-publication", text)]) for text in (b"\xff", "ü".encode(), b"")]
    found = [row["provenance"]["publication"] for row in parsed(sent, contract())]
    assert found == [None, "ü", ""]


def test_the_identity_is_escaped_as_spark_writes_json() -> None:
    value = fields(r'"a": "\"\\/\b\t\n\f\r\u0000\u001f\u007f\u2028é😀", "b": "' + '"')
    provenance = _one(Sent(value.replace(b'"b": ""', b'"b": "x"')), **_record(identity=["a", "b"]))[
        "provenance"
    ]
    assert provenance["identity"] == '["\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001F\x7f\u2028é😀","x"]'


def test_the_message_says_where_and_shows_80_characters() -> None:
    expected = {
        fields(f'"p": "{"ü" * 100}"'): f"{Reason.NOT_A_NUMBER.text}; signal Power (kW): {'ü' * 80}",
        fields('"p": -1.50'): f"{Reason.OUT_OF_RANGE.text}; signal Power (kW), minimum 0: -1.50",
        fields('"p": 1e2000'): f"{Reason.NOT_A_NUMBER.text}; signal Power (kW): 1e2000",
        fields('"p": "101"'): f"{Reason.OUT_OF_RANGE.text}; signal Power (kW), maximum 100: 101",
        at("now"): f"{Reason.BAD_EVENT_TIME.text}; field time, format dd MM yyyy HH:mm: now",
        at("01 01 1999 00:00"): (
            f"{Reason.EARLY_EVENT_TIME.text}; field time, format dd MM yyyy HH:mm, earliest 2000-01-01: "
            "01 01 1999 00:00"
        ),
        at("01 01 2099 00:00"): (
            f"{Reason.LATE_EVENT_TIME.text}; field time, format dd MM yyyy HH:mm, latest P1D from its "
            "record's timestamp: 01 01 2099 00:00"
        ),
        b"{}": f"{Reason.MISSING_FIELD.text}; field time",
        b"": Reason.EMPTY.text,
        b"\xff": Reason.NOT_UTF8.text,
        b"[]": Reason.NOT_AN_OBJECT.text,
    }
    rows = parsed([Sent(value) for value in expected], contract())
    assert [row["message"] for row in rows] == list(expected.values())


@pytest.mark.parametrize(
    ("bounds", "sent_at", "reasons"),
    [
        ({}, "2018-05-01 00:00", [None, None, "late_event_time"]),
        ({}, "2018-05-01 00:01", [None, None, None]),
        ({"latest": "PT0S"}, "2018-05-01 23:59", [None, "late_event_time", "late_event_time"]),
        ({"earliest": "P1D"}, "2018-05-02 00:00", [None, None, None]),
        ({"earliest": "P1D"}, "2018-05-02 00:01", ["early_event_time", None, None]),
        ({"latest": "2018-04-30"}, "2030-01-01 00:00", ["late_event_time"] * 3),
        ({"latest": "2018-05-01"}, "2000-01-01 00:00", [None, "late_event_time", "late_event_time"]),
        ({}, "1970-01-01 00:00", [None, None, None]),  # no timestamp at all, as Spark hands it out
        ({}, None, [None, None, None]),
    ],
)
def test_a_bound_may_be_as_far_from_the_record_as_a_duration_says(
    bounds: dict[str, str], sent_at: str | None, reasons: list[str | None]
) -> None:
    """Whatever time it is when it is parsed: a batch that is finished later must judge as it did."""
    times = ("01 05 2018 00:00", "02 05 2018 00:00", "02 05 2018 00:01")
    shape = contract().record.model_dump(mode="json")
    shape["event_time"] = {"field": "time", "format": "dd MM yyyy HH:mm"} | bounds
    records = batch([Sent(at(time)) for time in times])
    instant = sent_at and datetime.fromisoformat(sent_at).replace(tzinfo=UTC)
    stamps = pa.array([instant] * len(times), RECORDS.field("timestamp").type)
    records = records.set_column(RECORDS.get_field_index("timestamp"), "timestamp", stamps)
    assert Parser(contract(record=shape), TOPIC_ID).parse(records)["reason"].to_pylist() == reasons


def test_a_duration_leaves_the_years_that_readers_can_hold() -> None:
    """A producer may stamp its record with any time; so may a broker that lets it."""
    shape = contract().record.model_dump(mode="json")
    shape["event_time"] |= {"earliest": "P1D", "latest": "P1D"}
    records = batch([Sent(at("01 01 2262 00:00")), Sent(at("31 12 1677 23:59"))])
    far = [datetime(2262, 1, 1, tzinfo=UTC), datetime(1971, 1, 1, tzinfo=UTC)]
    stamps = pa.array(far, RECORDS.field("timestamp").type)
    records = records.set_column(RECORDS.get_field_index("timestamp"), "timestamp", stamps)
    found = Parser(contract(record=shape), TOPIC_ID).parse(records)["reason"].to_pylist()
    assert found == ["late_event_time", "early_event_time"]


def test_bounds_are_inside() -> None:
    rows = parsed([Sent(fields(f'"p": {value}')) for value in ("0", "100", "1e2", "100.00")], contract())
    assert [row["reason"] for row in rows] == [None] * 4


def test_a_refused_record_has_no_columns_of_a_reading() -> None:
    row = _one(Sent(fields('"p": "many", "mill": "a"')), **_record(entity="mill"))
    assert row["reason"] == "not_a_number"
    assert [row[name] for name in ("signal_ts", "signals", "entity")] == [None] * 3


def test_bounds_are_shown_short() -> None:
    signals = [{"name": "p", "fields": ["p"], "minimum": -0.5, "maximum": 12345678.0}]
    changed = _record(signals=signals)
    assert "minimum -0.5: -1" in _one(Sent(fields('"p": -1')), **changed)["message"]
    assert "maximum 1.23457e+07: 1e9" in _one(Sent(fields('"p": 1e9')), **changed)["message"]


def test_the_first_of_several_reasons_is_the_reason() -> None:
    both = b'{"time": "01 01 1999 00:00", "p": "many"}'
    assert _one(Sent(both))["reason"] == Reason.EARLY_EVENT_TIME
    assert _one(Sent(b'{"p": "many"}'))["reason"] == Reason.MISSING_FIELD


def test_2000_signals_are_checked() -> None:
    signals = [
        {"name": f"s{number}", "fields": [f"f{number}"], "minimum": 0, "maximum": 9}
        for number in range(2_000)
    ]
    values = [
        ", ".join(f'"f{number}": {last if number == 1_999 else 1}' for number in range(2_000))
        for last in (9, 10)
    ]
    rows = parsed([Sent(fields(value)) for value in values], contract(**_record(signals=signals)))
    assert [row["reason"] for row in rows] == [None, "out_of_range"]
    assert rows[1]["message"].endswith("signal s1999, maximum 9: 10")


def test_splitting_a_batch_changes_nothing() -> None:
    values = [value for value, _ in (READ | REFUSED).values()]
    headers = (("headrace-publication", b"abc"), ("x", None), ("headrace-row", b"7"))
    whole = batch([Sent(value, headers if number % 3 else ()) for number, value in enumerate(values)])
    parser = Parser(contract(), TOPIC_ID)
    expected = parser.parse(whole)
    assert expected.schema == PARSED
    for size in (1, 7):
        pieces = [whole.slice(start, size) for start in range(0, len(whole), size)]
        joined = pa.Table.from_batches([parser.parse(piece) for piece in pieces])
        assert joined.to_pylist() == expected.to_pylist()


def test_an_empty_batch_has_no_rows() -> None:
    parsed_batch = Parser(contract(), TOPIC_ID).parse(batch([]))
    assert (len(parsed_batch), parsed_batch.schema) == (0, PARSED)


def test_large_columns_views_other_zones_and_other_columns_are_taken() -> None:
    headers = (("headrace-publication", b"abc"), ("headrace-row", b"7"))
    plain = batch([Sent(fields('"p": 1'), headers, b"k"), Sent(b"{", headers, b"k"), Sent(None)])
    entry = pa.struct({"key": pa.large_string(), "value": pa.large_binary()})
    other = {
        "key": pa.large_binary(),
        "value": pa.binary_view(),
        "headers": pa.large_list(entry),
        "timestamp": pa.timestamp("ms", tz="Europe/Istanbul"),
    }
    columns = {
        name: plain.column(name).cast(other.get(name, RECORDS.field(name).type)) for name in RECORDS.names
    }
    shuffled = pa.record_batch({"topic": ["readings"] * 3, **dict(reversed(columns.items()))})
    parser = Parser(contract(), TOPIC_ID)
    assert parser.parse(shuffled).to_pylist() == parser.parse(plain).to_pylist()


def test_headers_may_be_null() -> None:
    plain = batch([Sent(fields('"p": 1')), Sent(b"{")])
    without = plain.set_column(2, "headers", pa.nulls(2, RECORDS.field("headers").type))
    rows = Parser(contract(), TOPIC_ID).parse(without).to_pylist()
    assert [row["reason"] for row in rows] == [None, "not_an_object"]


def test_a_parser_travels_as_its_contract() -> None:
    parser = pickle.loads(pickle.dumps(Parser(contract(), TOPIC_ID)))
    assert parser.parse(batch([Sent(fields('"p": 1'))])).column("reason").to_pylist() == [None]
