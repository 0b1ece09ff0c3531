"""Deserts of Kafka: what a topic can hold besides records in a row, for both engines alike."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from headrace.kafka.topics import log_end
from headrace.land.skipping import parse_offsets
from headrace.offsets import text
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.batches import landed_position, read_batches
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.queries import scan
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.published import read
from testbed.record_batches import batch, flip_a_bit, old_message, segment
from testbed.stages import Land, Outcome, succeeded
from testbed.streams import Stream, make_stream
from testbed.waiting import awaited

LARGE = 3_000_000
"""Bytes of a record: more than a fetch asks for by default."""

KEYS = 20


def definition(name: str, **topic: Any) -> dict[str, Any]:
    return {
        "stream": name,
        "source": {"kind": "external"},
        "topic": {"name": name, "partitions": 3, **topic},
        "record": {
            "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm"},
            "signals": [{"name": "power", "fields": ["power"]}],
        },
        "landing": {"max_records_per_batch": 10, "quarantine_limit": "100%"},
    }


def value(minute: int, more: str = "") -> bytes:
    more = f', "more": "{more}"' if more else ""
    return f'{{"time": "2018-01-01 {minute // 60:02}:{minute % 60:02}", "power": {minute}{more}}}'.encode()


def sender(stream: Stream) -> Producer:
    """A producer each of whose records is a batch."""
    return Producer({**stream.config, "batch.num.messages": 1, "message.max.bytes": 2 * LARGE})


@dataclass(frozen=True)
class Deserts:
    """A topic with all that can be landed, and one with what cannot."""

    odd: Stream
    damaged: Stream


@pytest.fixture(scope="module")
def deserts(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Deserts:
    """Partition 0 of the odd one is compacted, 1 has records without a timestamp, 2 a large one."""
    folder = tmp_path_factory.mktemp("deserts")
    compact = {"cleanup.policy": "compact", "segment.ms": 100, "min.cleanable.dirty.ratio": 0.001}
    odd = make_stream(
        folder,
        broker.config,
        definition("odd", config={**compact, "max.message.bytes": 2 * LARGE}),
    )
    damaged = make_stream(folder, broker.config, definition("damaged", partitions=2))
    producer, topic = sender(odd), odd.contract.topic.name
    for minute in range(2 * KEYS):  # each key twice: the cleaner keeps the later one
        producer.produce(topic, value(minute), str(minute % KEYS), partition=0)
    producer.produce(topic, value(1), "1", partition=1, timestamp=-1)
    producer.produce(topic, value(2, "x" * LARGE), "2", partition=2)
    assert producer.flush(30) == 0
    other = sender(damaged)
    for minute in range(6):
        other.produce(damaged.contract.topic.name, value(minute), partition=minute % 2)
    assert other.flush(30) == 0

    broker.stop()
    flip_a_bit(segment(broker, damaged.contract.topic.name, 0), 1)
    with segment(broker, damaged.contract.topic.name, 1).open("ab") as log:
        log.write(batch(3, value(7), value(8), codec=7))
        log.write(batch(5, value(9)))
    with segment(broker, topic, 1).open("ab") as log:
        log.write(old_message(1, value(3), magic=0))
        log.write(old_message(2, value(4), magic=1, timestamp=1_520_000_000_000))
    broker.start()

    producer = sender(odd)
    producer.produce(
        topic, value(100), "last", partition=0
    )  # in a segment of its own: the one before is closed
    assert producer.flush(30) == 0
    awaited(lambda: len(read(odd.config, topic)) == KEYS + 1 + 4, 120, every=0.5)
    return Deserts(odd, damaged)


def minutes(warehouse: Warehouse, table: str = READINGS) -> dict[tuple[int, int], int]:
    """Partition and offset -> the record's minute."""
    place = pl.col("provenance").struct
    rows = scan(warehouse, table).select(
        place.field("partition"), place.field("offset"), pl.col("signals").map.get("power").cast(pl.Int64)
    )
    return {(partition, offset): power for partition, offset, power in rows.collect().rows()}


def run(stream: Stream, land: Land, root: Path, run_id: str, **more: Any) -> Outcome:
    """What a run's landing does, from where the tables stand to the topic's end."""
    warehouse = stream.warehouse(root)
    run_slice = stream.slice_to_end(landed_position(warehouse, stream.topic_id))
    run_slice = fix_slice(warehouse, run_slice.model_copy(update={"run_id": run_id}))
    return land(stream.job(root, run_slice, **more).model_copy(update={"run_id": run_id}))


def account(stream: Stream, root: Path, run_id: str) -> tuple[int | None, int, int]:
    entry = reconcile(stream.contract, Settings(warehouse=root, home=root), stream.config, run_id)
    return entry.slice.visible, entry.slice.landed, entry.slice.quarantined


def test_holes_records_without_a_timestamp_large_ones_and_new_partitions_are_landed(
    land: Land, deserts: Deserts, tmp_path: Path
) -> None:
    stream, root = deserts.odd, tmp_path / "warehouse"
    warehouse, topic = stream.warehouse(root), stream.contract.topic.name
    held = len(log_end(stream.config, topic))
    succeeded(run(stream, land, root, "first"))
    records = KEYS + 1 + 4 + (held - 3)
    assert account(stream, root, "first") == (records, records, 0)
    expected = {(0, KEYS + at): KEYS + at for at in range(KEYS)} | {(0, 2 * KEYS): 100}
    expected |= {(1, 0): 1, (1, 1): 3, (1, 2): 4, (2, 0): 2} | {(added, 0): 59 for added in range(3, held)}
    assert minutes(warehouse) == expected
    place = pl.col("provenance").struct
    times = scan(warehouse, READINGS).filter(place.field("partition") == 1).sort(place.field("offset"))
    assert times.select(place.field("timestamp")).collect().to_series().to_list() == [
        None,
        None,
        datetime.fromtimestamp(1_520_000_000, UTC),
    ]

    admin = AdminClient(stream.config)
    admin.create_partitions([NewPartitions(topic, held + 1)])[topic].result(30)
    awaited(lambda: len(log_end(stream.config, topic)) == held + 1)
    producer = sender(stream)
    producer.produce(topic, value(59), "59", partition=held)
    assert producer.flush(30) == 0
    succeeded(run(stream, land, root, "second"))
    assert account(stream, root, "second") == (1, 1, 0)
    assert minutes(warehouse)[held, 0] == 59


def test_records_that_no_consumer_can_read_are_named_until_they_are_given_up(
    land: Land, deserts: Deserts, tmp_path: Path
) -> None:
    """One bit of partition 0's second record is another; partition 1 has a batch packed in a way of later."""
    stream, root = deserts.damaged, tmp_path / "warehouse"
    warehouse = stream.warehouse(root)
    given, said = "", []
    for number in range(3):
        outcome = run(stream, land, root, f"run {number}", skip=parse_offsets(given))
        if outcome.code == 0:
            break
        assert outcome.terminal, outcome.output
        assert outcome.error
        assert outcome.error.code == "HR310"
        named = outcome.error.message.partition("skip_offsets: ")[2].partition(",")[0]
        said.append(named)
        given = f"{given} {named}"
    assert sorted(said) == ["0:1-1", "1:3-4"]
    assert minutes(warehouse) == {(0, 0): 0, (0, 2): 4, (1, 0): 1, (1, 1): 3, (1, 2): 5, (1, 5): 9}
    gaps = [row for row in read_batches(warehouse) if row.kind == "gap"]
    assert sorted(text(row.ranges) for row in gaps) in (["0:[1, 2)", "1:[3, 5)"], ["0:[1, 2) 1:[3, 5)"])
    assert all("given up" in row.reason for row in gaps)
    assert account(stream, root, f"run {number}")[0] is not None
    assert scan(warehouse, QUARANTINE).collect().is_empty()


def test_a_record_that_is_larger_than_an_answer_may_be_is_named(
    land: Land, deserts: Deserts, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """librdkafka's limit, 100 MB by default; Java's client has none."""
    stream, root = deserts.odd, tmp_path / "warehouse"
    limited = stream.config | {"receive.message.max.bytes": LARGE // 2, "fetch.max.bytes": LARGE // 3}
    outcome = run(replace(stream, config=limited), land, root, "limited")
    if request.node.callspec.params["land"] == "spark":
        succeeded(outcome)
        return
    assert outcome.error, outcome.output
    assert outcome.error.code == "HR310"
    assert "partition 2, offsets 0 to 0: no consumer can read them" in outcome.error.message
    assert "Raise receive.message.max.bytes" in outcome.error.message
    succeeded(run(stream, land, root, "limited"))
    assert minutes(stream.warehouse(root))[2, 0] == 2
