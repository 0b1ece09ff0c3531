"""Avro records by a registry's schemas: their texts, what evolves, and bytes that are none."""

import io
import json
import math
import struct
from base64 import b64encode
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.kafka.schema_registry import WrittenBy
from headrace.parse.avro_schema import AvroSchema, SchemaUnreadable
from headrace.parse.json_fields import text_of
from headrace.parse.parser import Parser
from headrace.parse.reasons import Reason
from headrace.parse.schemas import Schemas, SchemasMissing, schema_ids
from testbed.arrow_records import batch
from testbed.parse_cases import TOPIC_ID, Sent, contract

AT = {"type": "long", "logicalType": "timestamp-millis"}
V1 = [{"name": "id", "type": "string"}, {"name": "at", "type": AT}, {"name": "v", "type": ["null", "double"]}]


def _schema(fields: list[Any], name: str = "Reading") -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "plant", "fields": fields}


def _encoded(schema: Any, value: Any) -> bytes:
    written = io.BytesIO()
    fastavro.schemaless_writer(written, fastavro.parse_schema(schema), value)
    return written.getvalue()


def _framed(number: int, schema: Any, value: Any) -> bytes:
    return struct.pack(">bI", 0, number) + _encoded(schema, value)


def _contract(**record: Any) -> Any:
    whole = {
        "format": "avro",
        "registry": {"connection": "registry"},
        "identity": ["id", "at"],
        "event_time": {"field": "at", "format": "iso"},
        "signals": [{"name": "v", "fields": ["v"], "maximum": 100}],
    } | record
    return contract(record=whole)


def _parsed(values: list[bytes | None], known: dict[int, Any], **record: Any) -> list[dict[str, Any]]:
    schemas = Schemas(
        {number: each and WrittenBy("AVRO", json.dumps(each)) for number, each in known.items()}
    )
    parser = Parser(_contract(**record), TOPIC_ID, schemas=schemas)
    return parser.parse(batch([Sent(value) for value in values])).to_pylist(maps_as_pydicts="strict")


WHEN = datetime(2024, 5, 1, 10, tzinfo=UTC)
GOOD = {"id": "a", "at": WHEN, "v": 1.5}


def test_a_record_becomes_a_reading_with_its_schemas_id() -> None:
    [row] = _parsed([_framed(7, _schema(V1), GOOD)], {7: _schema(V1)})
    assert row["reason"] is None
    assert row["signal_ts"] == WHEN
    assert row["signals"] == {"id": "a", "v": "1.5", "schema_id": "7"}


def test_two_writers_schemas_stand_in_one_batch() -> None:
    more = _schema([*V1, {"name": "site", "type": "string", "default": "x"}])
    values = [_framed(7, _schema(V1), GOOD), _framed(300_000, more, GOOD | {"site": "north", "v": None})]
    old, new = _parsed(values, {7: _schema(V1), 300_000: more})
    assert old["signals"] == {"id": "a", "v": "1.5", "schema_id": "7"}
    assert new["signals"] == {"id": "a", "v": None, "site": "north", "schema_id": "300000"}


def _changed(field: str, **to: Any) -> list[Any]:
    return [each | to if each["name"] == field else each for each in V1]


RECURSIVE = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
UNFIT: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "a field removed": (
        V1[:2],
        {"signals": [{"name": "v", "fields": ["v"], "required": True}]},
        "no field v",
    ),
    "the time removed": (V1[:1] + V1[2:], {}, "has no field at"),
    "the identity renamed": (_changed("id", name="key"), {}, "has no field id"),
    "the entity removed": (V1, {"entity": "device"}, "has no field device"),
    "a number made a boolean": (
        _changed("v", type="boolean"),
        {},
        "boolean as field v, where the contract says",
    ),
    "a number made a record": (_changed("v", type=_schema(V1, "In")), {}, "has record as field v"),
    "a whole number made a double": (
        V1,
        {"signals": [{"name": "v", "fields": ["v"], "type": "integer"}]},
        "has double as field v, where the contract says integer",
    ),
    "holds itself": ([*V1, {"name": "n", "type": RECURSIVE}], {}, "holds itself (plant.Node)"),
    "nulls without end": ([*V1, {"name": "n", "type": {"type": "array", "items": "null"}}], {}, "no bytes"),
    "not to be told apart": ([*V1, {"name": "n", "type": ["long", AT]}], {}, "union of long and timestamp"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_schema_that_does_not_fit_refuses_its_records_alone(name: str) -> None:
    fields, record, said = UNFIT[name]
    values = [struct.pack(">bI", 0, 8) + b"whatever", _framed(7, _schema(V1), GOOD)]
    bad, good = _parsed(values, {7: _schema(V1), 8: _schema(fields)}, **record)
    assert (bad["reason"], bad["value"]) == (Reason.UNFIT_SCHEMA, values[0])
    assert "; schema 8 " in bad["message"]
    assert said in bad["message"]
    if fields is not V1:
        assert good["reason"] is None


def test_a_schema_that_nobody_has_or_that_is_none() -> None:
    values = [struct.pack(">bI", 0, number) + b"x" for number in (1, 2, 3)]
    schemas = Schemas({1: None, 2: WrittenBy("AVRO", "{"), 3: WrittenBy("PROTOBUF", "")})
    rows = Parser(_contract(), TOPIC_ID, schemas=schemas).parse(batch([Sent(each) for each in values]))
    assert rows["reason"].to_pylist() == [Reason.UNKNOWN_SCHEMA, Reason.UNFIT_SCHEMA, Reason.UNFIT_SCHEMA]
    assert [message.rpartition("; ")[2][:24] for message in rows["message"].to_pylist()] == [
        "schema 1",
        "schema 2 is no Avro sche",
        "schema 3 is of PROTOBUF,",
    ]


WHOLE = _framed(7, _schema(V1), GOOD)
BROKEN: dict[str, tuple[bytes | None, Reason]] = {
    "tombstone": (None, Reason.EMPTY),
    "json": (b'{"id": "a"}', Reason.NOT_AVRO),
    "no head": (_encoded(_schema(V1), GOOD), Reason.NOT_AVRO),
    "half a head": (b"\0\0\0", Reason.NOT_AVRO),
    "a head alone": (WHOLE[:5], Reason.NOT_AVRO),
    "cut off": (WHOLE[:-1], Reason.NOT_AVRO),
    "bytes behind": (WHOLE + b"\0", Reason.NOT_AVRO),
    "a branch that is not there": (WHOLE[:-9] + b"\x08" + WHOLE[-8:], Reason.NOT_AVRO),
    "a text longer than all": (WHOLE[:5] + b"\xfe\xff\xff\xff\x0f" + WHOLE[6:], Reason.NOT_AVRO),
    "a text of minus one": (WHOLE[:5] + b"\x01" + WHOLE[6:], Reason.NOT_AVRO),
    "a number without end": (WHOLE[:7] + b"\xff" * 30, Reason.NOT_AVRO),
    "no utf-8": (WHOLE[:6] + b"\xff" + WHOLE[7:], Reason.NOT_UTF8),
    "another magic byte": (b"\1" + WHOLE[1:], Reason.NOT_AVRO),
    "out of range": (_framed(7, _schema(V1), GOOD | {"v": 100.5}), Reason.OUT_OF_RANGE),
    "not a number": (_framed(7, _schema(V1), GOOD | {"v": math.nan}), Reason.NOT_A_NUMBER),
}


@pytest.mark.parametrize("name", BROKEN)
def test_bytes_that_are_no_record_are_refused_and_kept(name: str) -> None:
    value, reason = BROKEN[name]
    bad, good = _parsed([value, WHOLE], {7: _schema(V1)})
    assert (bad["reason"], bad["value"]) == (reason, value)
    assert good["reason"] is None


@settings(max_examples=300, deadline=None, database=None)
@given(value=st.binary(max_size=60))
def test_whatever_bytes_end_in_a_row(value: bytes) -> None:
    rows = _parsed(
        [struct.pack(">bI", 0, 7) + value, value], {7: _schema(V1), **dict.fromkeys(schema_ids([value]))}
    )
    assert all(row["reason"] or row["signals"]["id"] is not None for row in rows)


EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # a local time
TEXTS: dict[str, tuple[Any, Any, str | None]] = {
    "null": ("null", None, None),
    "boolean": ("boolean", True, "true"),
    "int": ("int", -(2**31), "-2147483648"),
    "long": ("long", 2**63 - 1, "9223372036854775807"),
    "double": ("double", 0.1, "0.1"),
    "large double": ("double", 1e300, "1e+300"),
    "infinite": ("double", -math.inf, "-Infinity"),
    "string": ("string", 'süd "x"', 'süd "x"'),
    "bytes": ("bytes", b"\0\xff", b64encode(b"\0\xff").decode()),
    "fixed": ({"type": "fixed", "name": "F", "size": 2}, b"ab", b64encode(b"ab").decode()),
    "enum": ({"type": "enum", "name": "E", "symbols": ["ON", "OFF"]}, "OFF", "OFF"),
    "array": ({"type": "array", "items": ["null", "float"]}, [1.5, None], "[1.5,null]"),
    "map": ({"type": "map", "values": "long"}, {"a.b": 1}, '{"a.b":1}'),
    "record": (_schema(V1, "In"), GOOD, '{"id":"a","at":"2024-05-01T10:00:00.000Z","v":1.5}'),
    "union": (["null", "long", "string", "boolean"], "7", "7"),
    "uuid": ({"type": "string", "logicalType": "uuid"}, UUID(int=7), str(UUID(int=7))),
    "decimal": (
        {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 4},
        Decimal("-12345678901234567890.1234"),
        "-12345678901234567890.1234",
    ),
    "small decimal": (
        {"type": "fixed", "name": "D", "size": 4, "logicalType": "decimal", "precision": 9, "scale": 8},
        Decimal("0.00000001"),
        "0.00000001",
    ),
    "date": ({"type": "int", "logicalType": "date"}, date(1969, 12, 31), "1969-12-31"),
    "time": ({"type": "int", "logicalType": "time-millis"}, time(23, 59, 59, 999_000), "23:59:59.999"),
    "fine time": ({"type": "long", "logicalType": "time-micros"}, time(0, 0, 0, 1), "00:00:00.000001"),
    "fine instant": (
        {"type": "long", "logicalType": "timestamp-micros"},
        datetime(1901, 2, 3, 4, 5, 6, 789_012, UTC),
        "1901-02-03T04:05:06.789012Z",
    ),
    "finer instant": (
        {"type": "long", "logicalType": "timestamp-nanos"},
        1,
        "1970-01-01T00:00:00.000000001Z",
    ),
    "local time": (
        {"type": "long", "logicalType": "local-timestamp-millis"},
        EPOCH + timedelta(days=1, milliseconds=5),
        "1970-01-02T00:00:00.005",
    ),
    "beyond calendars": ({"type": "long", "logicalType": "timestamp-millis"}, 2**62, str(2**62)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_value_has_a_text(name: str) -> None:
    kind, value, expected = TEXTS[name]
    schema = _schema([{"name": "f", "type": kind}])
    [(_, found)] = AvroSchema(json.dumps(schema)).value(_encoded(schema, {"f": value}))
    assert text_of(found) == expected


@settings(max_examples=500, deadline=None, database=None)
@given(value=st.floats(width=32, allow_nan=False))
def test_a_float_is_the_number_of_32_bits_that_it_is(value: float) -> None:
    schema = _schema([{"name": "f", "type": "float"}])
    [(_, found)] = AvroSchema(json.dumps(schema)).value(_encoded(schema, {"f": value}))
    assert np.float32(found) == np.float32(value)
    assert (
        math.isinf(value)
        or len(found.strip("-").replace(".", "").lstrip("0").partition("e")[0].rstrip("0")) <= 9
    )


def test_schemas_refer_to_others() -> None:
    inner = _schema(V1, "Inner")
    outer = _schema([{"name": "one", "type": "plant.Inner"}, {"name": "two", "type": "plant.Inner"}], "Outer")
    whole = _schema([{"name": "one", "type": inner}, {"name": "two", "type": "plant.Inner"}], "Outer")
    read = AvroSchema(json.dumps(outer), (json.dumps(inner),)).value(
        _encoded(whole, {"one": GOOD, "two": GOOD})
    )
    assert [name for name, _ in read] == ["one", "two"]
    assert read[0][1] == read[1][1]
    with pytest.raises(SchemaUnreadable, match="Inner"):
        AvroSchema(json.dumps(outer))


ENVELOPE = _schema(
    [
        {"name": "before", "type": ["null", _schema(V1, "Value")], "default": None},
        {"name": "after", "type": ["null", "plant.Value"], "default": None},
        {"name": "op", "type": "string"},
    ],
    "Envelope",
)


def test_a_change_event_is_unwrapped() -> None:
    values = [
        _framed(9, ENVELOPE, {"before": None, "after": GOOD, "op": "c"}),
        _framed(9, ENVELOPE, {"before": GOOD, "after": None, "op": "d"}),
    ]
    after, deleted = _parsed(values, {9: ENVELOPE}, unwrap="after", paths={"op": "op", "was": "before.v"})
    assert after["signals"] == {"id": "a", "v": "1.5", "op": "c", "was": None, "schema_id": "9"}
    assert deleted["reason"] == Reason.EMPTY


def test_an_envelope_without_a_needed_field_does_not_fit() -> None:
    wrong = json.loads(json.dumps(ENVELOPE).replace('"name": "at"', '"name": "time"'))
    [row] = _parsed([struct.pack(">bI", 0, 9)], {9: wrong}, unwrap="after")
    assert (row["reason"], row["message"].endswith("schema 9 has no field at")) == (Reason.UNFIT_SCHEMA, True)


def test_a_process_that_cannot_ask_says_what_it_lacks_before_any_row() -> None:
    parser = Parser(_contract(), TOPIC_ID, schemas=Schemas({7: None}))
    values = [_framed(number, _schema(V1), GOOD) for number in (7, 8, 300_000)]
    with pytest.raises(SchemasMissing) as missing:
        parser.parse(batch([Sent(each) for each in values]))
    assert missing.value.ids == {8, 300_000}


def test_each_schema_is_asked_for_once() -> None:
    asked: list[int] = []

    def ask(number: int) -> WrittenBy | None:
        asked.append(number)
        return WrittenBy("AVRO", json.dumps(_schema(V1))) if number == 7 else None

    parser = Parser(_contract(), TOPIC_ID, schemas=Schemas(ask=ask))
    values = [_framed(number, _schema(V1), GOOD) for number in (7, 8, 7)]
    for _ in range(2):
        reasons = parser.parse(batch([Sent(each) for each in values]))["reason"].to_pylist()
        assert reasons == [None, Reason.UNKNOWN_SCHEMA, None]
    assert asked == [7, 8]


def test_what_is_known_travels_and_who_may_ask_does_not() -> None:
    import pickle  # noqa: PLC0415  # as Spark carries a parser

    schemas = Schemas(ask=lambda _: WrittenBy("AVRO", json.dumps(_schema(V1))))
    parser = Parser(_contract(), TOPIC_ID, schemas=schemas)
    parser.parse(batch([Sent(WHOLE)]))
    there = pickle.loads(pickle.dumps(parser))  # made a line before
    assert there.parse(batch([Sent(WHOLE)]))["reason"].to_pylist() == [None]
    with pytest.raises(SchemasMissing):
        there.schemas.require([8])


def test_a_contract_that_refuses_unknown_fields_knows_the_schemas_id() -> None:
    of = _contract().model_copy(
        update={"landing": contract(landing={"unknown_fields": "quarantine"}).landing}
    )
    of = of.model_copy(update={"record": of.record.model_copy(update={"identity": ("at",)})})
    fields = V1[1:]
    schemas = Schemas({7: WrittenBy("AVRO", json.dumps(_schema(fields)))})
    value = _framed(7, _schema(fields), {"at": WHEN, "v": 1.0})
    assert Parser(of, TOPIC_ID, schemas=schemas).parse(batch([Sent(value)]))["reason"] == pa.array(
        [None], pa.string()
    )
