"""A record that ends each process which lands it: found, named, and passed when a person gives it up."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer

from headrace.land.skipping import parse_offsets
from headrace.land.unfinished import KILLED, Unfinished, left_behind
from headrace.offsets import OffsetRange, text
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.batches import landed_position, read_batches
from headrace.tables.slices import fix_slice
from local.stack.broker import Broker
from testbed.stages import Land, succeeded
from testbed.streams import Stream, make_stream

DEFINITION = {
    "stream": "deadly",
    "source": {"kind": "external"},
    "topic": {"name": "deadly", "partitions": 2},
    "record": {
        "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm"},
        "signals": [{"name": "power", "fields": ["power"]}],
    },
    "landing": {"max_records_per_batch": 16},
}

DEADLY = 7
"""The minute of the deadly record, the fourth of partition 1."""

LANDING = """
import os, signal
from chaos.worker_land import main
from headrace.parse.parser import Parser

whole = Parser.parse_all

def parse_all(self, batches):
    for records in batches:
        if any(b'"power": 7,' in value for value in records["value"].to_pylist()):
            os.kill(os.getpid(), signal.SIGKILL)
        yield from whole(self, [records])

Parser.parse_all = parse_all
main()
"""
"""A landing in a process of its own, which the system ends when it meets that record."""


@pytest.fixture(scope="module")
def struck(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stream, Path]:
    """Two processes have ended at the record: in the first batch, and at the single offset."""
    folder = tmp_path_factory.mktemp("deadly")
    stream = make_stream(folder, broker.config, DEFINITION)
    producer = Producer(stream.config)
    for minute in range(60):
        value = f'{{"time": "2018-01-01 00:{minute:02}", "power": {minute}, "pad": 0}}'
        producer.produce(stream.contract.topic.name, value, partition=minute % 2)
    assert producer.flush(30) == 0
    warehouse = stream.warehouse(folder / "warehouse")
    job = stream.job(warehouse.root)
    fix_slice(warehouse, job.slice)
    found = []
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, "-c", LANDING],
            env={**os.environ, **job.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr
        found.append(left_behind(warehouse, stream.topic_id, landed_position(warehouse, stream.topic_id)))
    first = tuple(OffsetRange(partition=each, start=0, until=8) for each in range(2))
    single = OffsetRange(partition=1, start=3, until=4)
    assert found == [
        Unfinished(topic_id=stream.topic_id, ranges=first, tries=1, cause=KILLED),
        Unfinished(topic_id=stream.topic_id, ranges=(single,), tries=2, cause=KILLED),
    ]
    assert landed_position(warehouse, stream.topic_id) == {0: 8, 1: 3}
    return stream, warehouse.root


def test_a_record_that_ends_each_process_is_named_until_it_is_given_up(
    land: Land, struck: tuple[Stream, Path], tmp_path: Path
) -> None:
    stream, origin = struck
    root = tmp_path / "warehouse"
    shutil.copytree(origin, root)
    warehouse, job = stream.warehouse(root), stream.job(root)
    refused = land(job)
    assert refused.terminal
    assert refused.error
    assert refused.error.code == "HR310"
    assert "partition 1, offset 3: 2 processes have ended that were landing it" in refused.error.message
    assert "skip_offsets: 1:3-3," in refused.error.message
    assert landed_position(warehouse, stream.topic_id) == {0: 8, 1: 3}

    succeeded(land(job.model_copy(update={"skip": parse_offsets("1:3-3")})))
    entry = reconcile(stream.contract, Settings(warehouse=root, home=tmp_path), stream.config, job.run_id)
    assert (entry.slice.visible, entry.slice.landed, entry.slice.quarantined) == (59, 59, 0)
    (gap,) = (row for row in read_batches(warehouse) if row.kind == "gap")
    assert (text(gap.ranges), gap.records) == ("1:[3, 4)", 1)
    assert gap.reason == "given up by a run's parameter skip_offsets"


def test_a_record_that_is_bearable_by_now_is_landed(
    land: Land, struck: tuple[Stream, Path], tmp_path: Path
) -> None:
    """After it was named the next run tries it once more: there is more memory, or the defect is mended."""
    stream, origin = struck
    root = tmp_path / "warehouse"
    shutil.copytree(origin, root)
    assert land(stream.job(root)).terminal
    succeeded(land(stream.job(root)))
    entry = reconcile(stream.contract, Settings(warehouse=root, home=tmp_path), stream.config, "a run")
    assert (entry.slice.visible, entry.slice.landed) == (60, 60)
    assert left_behind(stream.warehouse(root), stream.topic_id, {}) is None
