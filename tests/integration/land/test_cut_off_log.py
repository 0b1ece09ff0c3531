"""A broker whose disk is restored to an earlier moment: refused with both ends, or landed from there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from confluent_kafka import Producer

from headrace.land.idle import nothing_to_land
from headrace.offsets import text
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings, load_settings
from headrace.tables.batches import landed_position, read_batches
from headrace.tables.queries import scan
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker, scratch_broker
from testbed.stages import LANDERS, Land, succeeded
from testbed.streams import Stream, make_stream

DEFINITION = {
    "stream": "restored",
    "source": {"kind": "external"},
    "topic": {"name": "restored", "partitions": 2},
    "record": {
        "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm"},
        "signals": [{"name": "power", "fields": ["power"]}],
    },
    "landing": {"max_records_per_batch": 4},
}


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker whose disk this test may take away."""
    broker = scratch_broker(load_settings().home_path, tmp_path_factory.mktemp("restored"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def landed(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stream, Path]:
    """16 + 2 records, landed by each engine; the broker then lost the last six and took three others."""
    stream = make_stream(tmp_path_factory.mktemp("stream"), own_broker.config, DEFINITION)
    root, data = tmp_path_factory.mktemp("warehouses"), own_broker.folder / "data"
    produce(stream, 0, range(10))
    produce(stream, 1, range(2))
    own_broker.stop()
    shutil.copytree(data, own_broker.folder / "backup")
    own_broker.start()
    produce(stream, 0, range(10, 16))
    for name, land in LANDERS.items():
        succeeded(land(stream.job(root / name)))
    own_broker.kill()
    shutil.rmtree(data)
    (own_broker.folder / "backup").rename(data)
    own_broker.start()
    produce(stream, 0, range(100, 103))
    return stream, root


def produce(stream: Stream, partition: int, minutes: range) -> None:
    producer = Producer(stream.config)
    for minute in minutes:
        value = f'{{"time": "2018-01-01 {minute // 60:02}:{minute % 60:02}", "power": {minute}}}'
        producer.produce(stream.contract.topic.name, value, partition=partition)
    assert producer.flush(30) == 0


def powers(warehouse: Warehouse) -> list[int]:
    signals = scan(warehouse, "readings").select(pl.col("signals").map.get("power").cast(pl.Int64))
    return sorted(signals.collect().to_series().to_list())


def test_a_log_that_ends_before_the_position_is_refused_until_it_is_accepted(
    land: Land, landed: tuple[Stream, Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    stream, root = landed
    root /= request.node.callspec.params["land"]
    settings = Settings(warehouse=root, home=tmp_path)
    warehouse, topic_id = stream.warehouse(root), stream.topic_id
    before = powers(warehouse)
    assert before == sorted([*range(16), 0, 1])
    job = stream.job(root, stream.slice_to_end(landed_position(warehouse, topic_id)))

    assert nothing_to_land(warehouse, job.slice) is None  # else the run would be green without a look
    refused = land(job)
    assert refused.terminal
    assert refused.error
    assert refused.error.code == "HR309"
    assert "partition 0 ends at 13, landed up to 16" in refused.error.message
    assert powers(warehouse) == before

    fix_slice(warehouse, job.slice)
    succeeded(land(job.model_copy(update={"accept_loss": True})))
    entry = reconcile(stream.contract, settings, stream.config, job.run_id)
    assert (entry.slice.visible, entry.slice.landed) == (3, 3)
    rewind = next(row for row in read_batches(warehouse) if row.kind == "rewind")
    assert text(rewind.ranges) == "0:[10, 16)"  # where it was cut off, though three more were written since
    assert landed_position(warehouse, topic_id) == {0: 13, 1: 2}
    assert powers(warehouse) == sorted([*before, 100, 101, 102])
    assert not scan(warehouse, "quarantine").collect().height

    succeeded(land(stream.job(root, stream.slice_to_end(landed_position(warehouse, topic_id)))))
    assert powers(warehouse) == sorted([*before, 100, 101, 102])
