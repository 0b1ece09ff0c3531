"""A broker whose disk is restored to an earlier moment: refused with both ends, or landed from there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from confluent_kafka import Producer

from headrace.errors import LogCutOff
from headrace.kafka.topics import log_end
from headrace.land.before_publishing import cut_off, go_back
from headrace.land.idle import nothing_to_land
from headrace.offsets import text
from headrace.publish.publishing import publish
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings, load_settings
from headrace.tables.batches import landed_position, read_batches
from headrace.tables.queries import scan
from headrace.tables.slices import extend_slice, find_slice, fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker, scratch_broker
from testbed.stages import LANDERS, Land, run_in_worker, succeeded
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


OWN = DEFINITION | {
    "stream": "republished",
    "topic": {"name": "republished", "partitions": 1},
    "record": DEFINITION["record"] | {"identity": ["time"]},  # type: ignore[operator]  # it is a dictionary
}


@pytest.fixture(scope="module")
def published(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stream, Settings]:
    """A file of three rows, published."""
    folder = tmp_path_factory.mktemp("published")
    file = folder / "own.csv"
    own = OWN | {"source": {"kind": "csv", "path": str(file)}}
    stream = make_stream(folder, own_broker.config, own)
    settings = Settings(home=folder / "home", warehouse=folder / "warehouse", source_roots=str(folder))
    file.write_text("time,power\n")
    publish_more(stream, settings, range(3))
    return stream, settings


def publish_more(stream: Stream, settings: Settings, minutes: range) -> None:
    source = stream.contract.own_source
    assert source
    with source.path.open("a") as rows:
        rows.writelines(f"2018-01-01 00:{minute:02},{minute}\n" for minute in minutes)
    publish(stream.contract, settings, stream.config, "a run")


@pytest.fixture(scope="module")
def landed(
    own_broker: Broker, published: tuple[Stream, Settings], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Stream, Path]:
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
    own, settings = published
    publish_more(own, settings, range(3, 9))
    succeeded(run_in_worker(own.job(settings.warehouse_path)))
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


def test_nothing_is_published_behind_a_log_that_was_cut_off(
    landed: tuple[Stream, Path], published: tuple[Stream, Settings]
) -> None:
    """With the new records its end would pass the position, and the first of them would never be landed."""
    stream, settings = published
    warehouse, topic_id = stream.warehouse(settings.warehouse_path), stream.topic_id
    position = landed_position(warehouse, topic_id)
    given = (stream.contract, warehouse, stream.config)
    cut = cut_off(*given, "another run")
    assert cut
    with pytest.raises(LogCutOff, match=r"Trigger a run with accept_loss and republish"):
        go_back(*given, cut, accept_loss=False)
    assert landed_position(warehouse, topic_id) == position
    assert find_slice(warehouse, "another run") is None

    go_back(*given, cut, accept_loss=True)
    assert not cut_off(*given, "another run")
    end = log_end(stream.config, stream.contract.topic.name)
    assert landed_position(warehouse, topic_id)[0] <= end[0] < position[0]
    again = publish(stream.contract, settings, stream.config, "another run", republish=True)
    known = find_slice(warehouse, "another run")
    assert known
    run_slice = extend_slice(warehouse, known, {}, again.until)
    job = stream.job(settings.warehouse_path, run_slice).model_copy(update={"run_id": "another run"})
    succeeded(run_in_worker(job))
    assert powers(warehouse) == list(range(9))
    entry = reconcile(stream.contract, settings, stream.config, "another run")
    assert (entry.slice.visible, entry.slice.quarantined) == (9, 9)  # each of them once more
