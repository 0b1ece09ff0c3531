"""Avro through a real registry, a real broker and both engines: a schema that evolves while records come."""

import io
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from deltalake import DeltaTable

from headrace.errors import RegistryUnreachable, SettingsError
from headrace.kafka.schema_registry import asking
from headrace.parse.reasons import Reason
from headrace.settings import load_settings
from headrace.tables.batches import landed_position
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from local.stack.ports import free_port
from testbed.schema_registry import running_registry
from testbed.stages import Land, succeeded
from testbed.streams import Stream, make_stream

DEFINITION: dict[str, Any] = {
    "stream": "mills",
    "source": {"kind": "external"},
    "topic": {"name": "mills", "config": {"retention.ms": -1}},
    "record": {
        "format": "avro",
        "registry": {},
        "key": {"format": "text", "field": "mill"},
        "entity": "mill",
        "identity": ["mill", "at"],
        "event_time": {"field": "at", "format": "iso"},
        "signals": [
            {"name": "power", "fields": ["power"], "required": True},
            {"name": "price", "fields": ["price"], "type": "decimal(12, 4)"},
        ],
    },
    "landing": {"quarantine_limit": "100%"},
}
AT = {"type": "long", "logicalType": "timestamp-millis"}
POWER = {"name": "power", "type": ["null", "double"], "default": None}
PRICE = {
    "name": "price",
    "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 4}],
    "default": None,
}
START = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("registry") / "log"
    with running_registry(load_settings().home_path, log) as url:
        yield url


def _schema(*fields: Any) -> str:
    of = [{"name": "at", "type": AT}, *fields]
    return json.dumps({"type": "record", "name": "Mill", "namespace": "plant", "fields": of})


class Writer:
    """A producer with Confluent's serializer, which registers its schema and frames its records."""

    def __init__(self, stream: Stream, url: str) -> None:
        self.client = SchemaRegistryClient({"url": url})
        self._producer, self._topic = Producer(stream.config), stream.contract.topic.name

    def send(self, schema: str, first: int, count: int, **fields: Any) -> int:
        """Records `first` and on; the id of their schema."""
        serialize = AvroSerializer(self.client, schema)
        context = SerializationContext(self._topic, MessageField.VALUE)
        value = b""
        for number in range(first, first + count):
            record = {"at": START + timedelta(minutes=number), "power": number / 4, **fields}
            value = serialize(record, context) or b""
            self.send_bytes(value)
        return int(struct.unpack(">bI", value[:5])[1])

    def send_bytes(self, value: bytes | None) -> None:
        self._producer.produce(self._topic, value, b"m1")
        assert self._producer.flush(30) == 0


def _land(stream: Stream, warehouse: Warehouse, land: Land, url: str, run: str) -> str:
    start = landed_position(warehouse, stream.topic_id) if warehouse.exists(READINGS) else None
    run_slice = stream.slice_to_end(start).model_copy(update={"run_id": run})
    return land(stream.job(warehouse.root, fix_slice(warehouse, run_slice), registry={"url": url})).output


def _rows(warehouse: Warehouse, table: str) -> list[dict[str, Any]]:
    read = DeltaTable(str(warehouse.table(table))).to_pyarrow_table()
    return read.to_pylist(maps_as_pydicts="strict")


def test_a_schema_evolves_while_records_come(
    broker: Broker, land: Land, registry: str, tmp_path: Path
) -> None:
    stream = make_stream(tmp_path, broker.config, DEFINITION)
    warehouse = Warehouse(tmp_path / "warehouse", "mills")
    writer = Writer(stream, registry)
    first = writer.send(_schema(POWER), 0, 50)
    # Else it takes no schema that lacks a field of before, and what is to be seen would not be written.
    writer.client.set_compatibility(f"{stream.contract.topic.name}-value", "NONE")
    _land(stream, warehouse, land, registry, "first")

    second = writer.send(_schema(POWER, PRICE), 50, 30, price=Decimal("12.3400"))
    again = writer.send(_schema(POWER), 80, 10)  # a writer of before goes on
    lacking = writer.send(_schema(PRICE), 90, 4, price=None)
    changed = writer.send(_schema({"name": "power", "type": "boolean"}), 94, 3, power=True)
    writer.send_bytes(struct.pack(">bI", 0, 999_999) + b"x")
    writer.send_bytes(b'{"at": 1}')
    writer.send_bytes(None)
    _land(stream, warehouse, land, registry, "second")

    assert first == again != second
    readings, refused = _rows(warehouse, READINGS), _rows(warehouse, QUARANTINE)
    readings.sort(key=lambda row: row["signal_ts"])
    assert [row["signal_ts"] for row in readings] == [START + timedelta(minutes=each) for each in range(90)]
    assert [float(row["signals"]["power"]) for row in readings] == [each / 4 for each in range(90)]
    assert [int(row["signals"]["schema_id"]) for row in readings] == [first] * 50 + [second] * 30 + [
        first
    ] * 10
    assert {row["signals"].get("price") for row in readings} == {None, "12.3400"}
    assert {row["entity"] for row in readings} == {"m1"}
    reasons = [row["reason"] for row in sorted(refused, key=lambda row: row["provenance"]["offset"])]
    assert reasons == [Reason.UNFIT_SCHEMA] * 7 + [Reason.UNKNOWN_SCHEMA, Reason.NOT_AVRO, Reason.EMPTY]
    said = {row["message"].rpartition("; ")[2] for row in refused if row["reason"] == Reason.UNFIT_SCHEMA}
    assert said == {
        f"schema {lacking} has no field power",
        f"schema {changed} has boolean as field power, where the contract says double",
    }


def test_a_registry_that_is_away_fails_the_task_and_lands_nothing_of_the_batch(
    broker: Broker, land: Land, registry: str, tmp_path: Path
) -> None:
    stream = make_stream(tmp_path, broker.config, DEFINITION)
    warehouse = Warehouse(tmp_path / "warehouse", "mills")
    Writer(stream, registry).send(_schema(POWER), 0, 5)
    nobody = f"http://127.0.0.1:{free_port()}"
    run_slice = fix_slice(warehouse, stream.slice_to_end())
    failed = land(stream.job(warehouse.root, run_slice, registry={"url": nobody, "max.retries": 0}))
    assert failed.code != 0
    assert f"[HR311] schema registry {nobody} did not answer for schema" in failed.output
    assert not _rows(warehouse, READINGS)
    succeeded(land(stream.job(warehouse.root, run_slice, registry={"url": registry})))
    assert len(_rows(warehouse, READINGS)) == 5


def test_schemas_come_with_what_they_refer_to(registry: str) -> None:
    client = SchemaRegistryClient({"url": registry})
    point = json.dumps({"type": "record", "name": "geo.Point", "fields": [{"name": "x", "type": "int"}]})
    client.register_schema("geo.Point", Schema(point, "AVRO"))
    whole = json.dumps({"type": "record", "name": "Place", "fields": [{"name": "p", "type": "geo.Point"}]})
    reference = SchemaReference("geo.Point", "geo.Point", 1)
    number = client.register_schema("place", Schema(whole, "AVRO", [reference]))
    found = asking({"url": registry})(number)
    assert found is not None
    named: dict[str, Any] = {}
    for text in (*found.references, found.text):
        parsed = fastavro.parse_schema(json.loads(text), named)
    assert fastavro.schemaless_reader(io.BytesIO(b"\x0e"), parsed, None) == {"p": {"x": 7}}


def test_what_is_no_registry_is_told_from_one_that_is_away(registry: str) -> None:
    assert asking({"url": registry})(999_999) is None
    with pytest.raises(SettingsError, match="answers like none"):
        asking({"url": f"{registry}/nowhere"})(1)
    with pytest.raises(RegistryUnreachable):
        asking({"url": "http://127.0.0.1:9", "max.retries": 0})(1)
    with pytest.raises(SettingsError, match="does not fit"):
        asking({"url": registry, "unheard.of": 1})(1)
