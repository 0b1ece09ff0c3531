"""Landing a dirty slice: killed after each commit and run again; two drivers at once; all end the same."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
import psutil
import pytest
from confluent_kafka import Producer
from filelock import FileLock, Timeout
from tenacity import retry, stop_after_delay, wait_fixed

from headrace.driver.protocol import Guardian
from headrace.offsets import text
from headrace.tables.batches import open_batch, read_batches
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from local.stack.spark import submit
from testbed.stages import Land, run_as_process, run_warm, succeed, succeeded
from testbed.streams import Stream, make_stream, show

DEFINITION = {
    "stream": "dirty",
    "source": {"kind": "external"},
    "topic": {"name": "dirty"},
    "record": {
        "identity": ["time"],
        "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm", "timezone": "Europe/Istanbul"},
        "signals": [{"name": "power", "fields": ["power"], "minimum": 0, "maximum": 100}],
    },
    "landing": {"max_records_per_batch": 6, "quarantine_limit": "100%"},
}

GOOD = '{"time": "2018-01-01 00:%02d", "power": %s}'

VALUES: tuple[tuple[bytes | None, str | None], ...] = (
    # batch 0
    ((GOOD % (0, 10)).encode(), None),
    ((GOOD % (1, 11)).encode(), None),
    (b"{", "not_an_object"),
    ((GOOD % (0, 10)).encode(), "duplicate"),
    ((GOOD % (2, 12)).encode(), None),
    ((GOOD % (1, 99)).encode(), "conflict"),
    # batch 1: repeats of landed records, and of its own
    ((GOOD % (3, 13)).encode(), None),
    ((GOOD % (0, 10)).encode(), "duplicate"),
    ((GOOD % (1, 98)).encode(), "conflict"),
    (b'{"time": "\xff"}', "not_utf8"),
    ((GOOD % (4, 101)).encode(), "out_of_range"),
    ((GOOD % (3, 13)).encode(), "duplicate"),
    # batch 2
    ((GOOD % (5, 15)).encode(), None),
    (None, "empty"),
)
"""Each record in the order of its offset, with the reason why it is refused."""

LANDED = [offset for offset, (_, reason) in enumerate(VALUES) if reason is None]
REFUSED = {offset: reason for offset, (_, reason) in enumerate(VALUES) if reason}


@pytest.fixture(scope="module")
def stream(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """The topic with all records in it."""
    stream = make_stream(tmp_path_factory.mktemp("streams"), broker.config, DEFINITION)
    producer = Producer(stream.config)
    for value, _ in VALUES:
        producer.produce(stream.contract.topic.name, value=value)
    assert producer.flush(30) == 0
    return stream


def account(when: str, warehouse: Warehouse) -> None:
    """Print what the tables hold, for a person."""
    broken = open_batch(warehouse)
    show(
        f"{when}:",
        f"  readings    {_offsets(warehouse, 'readings')}",
        f"  quarantine  {_reasons(warehouse)}",
        *(
            f"  batch {row.batch}     {text(row.ranges)} records {row.records} "
            f"landed {row.landed} quarantined {row.quarantined}"
            for row in read_batches(warehouse)
        ),
        f"  open batch  {f'{broken.batch}, {text(broken.ranges)}' if broken else 'none'}",
    )


def _places(warehouse: Warehouse, table: str) -> pl.DataFrame:
    offset = pl.col("provenance").struct.field("offset")
    return scan(warehouse, table).with_columns(offset).sort("offset").collect()


def _offsets(warehouse: Warehouse, table: str) -> list[int]:
    return list(_places(warehouse, table)["offset"])


def _reasons(warehouse: Warehouse) -> dict[int, str]:
    return dict(_places(warehouse, "quarantine").select("offset", "reason").iter_rows())


def assert_all_accounted_for(warehouse: Warehouse) -> None:
    """Every record once, in its table, with its reason; three closed batches that say so."""
    assert _offsets(warehouse, "readings") == LANDED
    quarantine = _places(warehouse, "quarantine")
    assert dict(quarantine.select("offset", "reason").iter_rows()) == REFUSED
    assert len(quarantine) == len(REFUSED)
    kept = dict(quarantine.select("offset", "value").iter_rows())
    assert kept == {
        offset: None if reason == "duplicate" else VALUES[offset][0] for offset, reason in REFUSED.items()
    }
    assert [(row.records, row.landed, row.quarantined) for row in read_batches(warehouse)] == [
        (6, 3, 3),
        (6, 1, 5),
        (2, 1, 1),
    ]
    assert open_batch(warehouse) is None


@pytest.fixture(scope="module")
def killed(stream: Stream, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The warehouses that a driver has left that was killed at a point of the second batch, each once."""

    @cache
    def made(point: str) -> Path:
        root = tmp_path_factory.mktemp("killed")
        died = run_as_process("land.py", stream.job(root), HEADRACE_CRASH_AT=f"{point}:2")
        assert died.code != 0, died.output
        return root

    return made


QUARANTINED = {"land.after_readings": {2, 3, 5}, "land.after_quarantine": {2, 3, 5, 7, 8, 9, 10, 11}}
"""The offsets in quarantine when a driver was killed there."""


@pytest.mark.parametrize("point", QUARANTINED)
def test_a_driver_killed_after_a_commit_leaves_a_batch_that_the_next_one_finishes(
    stream: Stream, land: Land, killed: Callable[[str], Path], tmp_path: Path, point: str
) -> None:
    root = shutil.copytree(killed(point), tmp_path / "warehouse")
    job, warehouse = stream.job(root), stream.warehouse(root)
    account(f"killed at {point} of the second batch", warehouse)
    assert _offsets(warehouse, "readings") == [0, 1, 4, 6]
    assert set(_reasons(warehouse)) == QUARANTINED[point]
    assert [row.batch for row in read_batches(warehouse)] == [0]
    broken = open_batch(warehouse)
    assert broken is not None
    assert broken.batch == 1

    output = succeeded(land(job))
    show(*(line for line in output.splitlines() if line.startswith(("batch", "slice"))))
    account("run again", warehouse)
    assert "batch 1 was left open" in output
    assert_all_accounted_for(warehouse)


def test_a_lost_checkpoint_costs_no_row(
    stream: Stream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed under the running query, inside its first batch; no later one is resumed from it."""
    home, checkpoint = tmp_path / "home", tmp_path / "home" / "scratch" / "dirty"
    lost: list[str] = []

    def lose(point: str) -> None:
        if point == "land.after_readings" and not lost:
            lost.extend(each.name for each in checkpoint.rglob("*"))
            shutil.rmtree(checkpoint)

    monkeypatch.setattr("headrace.land.landing.crash_point", lose)
    job, warehouse = stream.job(tmp_path), stream.warehouse(tmp_path)
    first = run_warm("land.py", job, HEADRACE_HOME=str(home))
    assert "offsets" in lost
    show(f"the try that lost its checkpoint: {first}")
    if first.code:  # the query needs its folder; the tables do not
        assert not first.terminal
        succeed("land.py", job)
    assert_all_accounted_for(warehouse)


def test_of_two_drivers_at_once_the_second_is_refused_by_the_lock(stream: Stream, tmp_path: Path) -> None:
    job, warehouse = stream.job(tmp_path), stream.warehouse(tmp_path)
    warehouse.prepare()
    first = submit("land.py", job)
    try:
        holder = _holder(warehouse)
        os.kill(holder, signal.SIGSTOP)  # so that it holds the lock for as long as the second one lives
        refused = run_as_process("land.py", job)
        os.kill(holder, signal.SIGCONT)
        output, _ = first.communicate(timeout=300)
    finally:
        first.kill()
    show(str(refused))
    account("after both", warehouse)
    assert refused.code != 0
    assert refused.error is not None
    assert (refused.error.code, refused.error.transient) == ("HR401", True)
    assert first.returncode == 0, output
    assert_all_accounted_for(warehouse)


def test_a_driver_ends_with_its_guardian_and_takes_its_jvm_along(stream: Stream, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as task:
        guardian = Guardian.of(task.pid)
        driver = submit("land.py", stream.job(tmp_path, guardians=(guardian,)))
        stream.warehouse(tmp_path).prepare()
        python = psutil.Process(_holder(stream.warehouse(tmp_path)))
        task.kill()
        output, _ = driver.communicate(timeout=60)
    assert driver.returncode != 0, output
    python.wait(30)


@retry(stop=stop_after_delay(120), wait=wait_fixed(0.05))
def _holder(warehouse: Warehouse) -> int:
    """The process that holds the stream's lock, once one does."""
    try:
        FileLock(warehouse.folder / "_writer.lock", timeout=0).acquire().lock.release()
    except Timeout:
        return int(pl.read_json(warehouse.folder / "_writer.json")["pid"][0])
    raise AssertionError("nobody holds the lock")
