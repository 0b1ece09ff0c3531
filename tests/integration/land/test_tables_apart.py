"""A table that was copied back from a backup: refused by either engine, and landed again once restored."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from headrace.cli import app
from headrace.offsets import text
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.batches import landed_position, read_batches
from headrace.tables.commits import newest_version
from headrace.tables.names import BATCHES, QUARANTINE, READINGS
from headrace.tables.queries import scan
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.stages import Land, succeeded
from testbed.streams import Stream, make_stream

DEFINITION = {
    "stream": "apart",
    "source": {"kind": "external"},
    "topic": {"name": "apart", "partitions": 2},
    "record": {
        "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm"},
        "signals": [{"name": "power", "fields": ["power"]}],
    },
    "landing": {"max_records_per_batch": 4, "quarantine_limit": "50%"},
}


def produce(stream: Stream, minutes: range) -> None:
    """A record a minute, by turns into both partitions; every fifth is no reading."""
    producer = Producer(stream.config)
    for minute in minutes:
        time = "?" if minute % 5 == 0 else f"2018-01-01 00:{minute:02}"
        value = f'{{"time": "{time}", "power": {minute}}}'
        producer.produce(stream.contract.topic.name, value, partition=minute % 2)
    assert producer.flush(30) == 0


def held(warehouse: Warehouse) -> dict[str, list[tuple[int, int]]]:
    """Partition and offset of all that the tables hold."""
    place = [pl.col("provenance").struct.field(name) for name in ("partition", "offset")]
    return {
        name: sorted(scan(warehouse, name).select(*place).collect().rows()) for name in (READINGS, QUARANTINE)
    }


def test_what_is_undone_is_landed_again_and_what_the_topic_lacks_is_not_undone(
    land: Land, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = make_stream(tmp_path, broker.config, DEFINITION)
    root = tmp_path / "warehouse"
    warehouse, topic_id = stream.warehouse(root), stream.topic_id
    produce(stream, range(1, 13))
    succeeded(land(stream.job(root)))
    shutil.copytree(warehouse.table(READINGS), tmp_path / "backup")
    produce(stream, range(13, 25))
    succeeded(land(stream.job(root, stream.slice_to_end(landed_position(warehouse, topic_id)))))
    whole, position = held(warehouse), landed_position(warehouse, topic_id)
    assert sum(map(len, whole.values())) == 24
    shutil.rmtree(warehouse.table(READINGS))
    (tmp_path / "backup").rename(warehouse.table(READINGS))

    produce(stream, range(25, 27))
    before = {name: newest_version(warehouse.table(name)) for name in (READINGS, QUARANTINE, BATCHES)}
    refused = land(stream.job(root, stream.slice_to_end(position)))
    assert refused.terminal
    assert refused.error
    assert refused.error.code == "HR408"
    assert {name: newest_version(warehouse.table(name)) for name in before} == before

    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(root))
    monkeypatch.setenv("HEADRACE_STREAMS", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps({"extra": stream.config}))
    command = ["restore", "apart"]
    asked = CliRunner().invoke(app, command, input="n\n")
    assert asked.exit_code == 1
    assert "undone, for the next run to land again: 0:[6, 12) 1:[6, 12), 12 offsets" in asked.output
    assert {name: newest_version(warehouse.table(name)) for name in before} == before
    done = CliRunner().invoke(app, [*command, "--yes"])
    assert done.exit_code == 0, done.output
    assert landed_position(warehouse, topic_id) == {0: 6, 1: 6}

    job = stream.job(root, stream.slice_to_end(landed_position(warehouse, topic_id)))
    fix_slice(warehouse, job.slice)
    succeeded(land(job))
    entry = reconcile(stream.contract, Settings(warehouse=root, home=tmp_path), stream.config, job.run_id)
    assert (entry.slice.visible, entry.slice.landed, entry.slice.quarantined) == (14, 11, 3)
    found = held(warehouse)
    assert {name: set(places) >= set(whole[name]) for name, places in found.items()} == dict.fromkeys(
        found, True
    )
    assert sum(map(len, found.values())) == 26

    admin = AdminClient(stream.config)
    (future,) = admin.delete_records([TopicPartition(stream.contract.topic.name, 0, 3)]).values()
    future.result(30)
    lost = CliRunner().invoke(app, [*command, "--yes", "--to", "0"])
    assert lost.exit_code == 1
    assert "HR305" in lost.output
    assert held(warehouse) == found
    trace = next(row for row in read_batches(warehouse) if row.kind == "restore")
    assert text(trace.ranges) == "0:[6, 12) 1:[6, 12)"
