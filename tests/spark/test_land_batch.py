"""One batch into real Delta tables: repeats, replays, rivals."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import DataFrame, SparkSession

from headrace.batches import open_batch, read_batches
from headrace.commits import BatchCommit, batch_commit, commits, entries, open_table
from headrace.contract import Contract
from headrace.errors import ForeignCommit, PositionBroken
from headrace.offsets import OffsetRange
from headrace.queries import scan
from headrace.warehouse import Warehouse
from headrace_spark import land_batch as module
from headrace_spark import tables
from headrace_spark.land_batch import Try, land_batch
from headrace_spark.parse import parse
from headrace_spark.repeats import any_repeats
from headrace_spark.session import build_session
from headrace_spark.tables import create_tables, vacuum
from tests.spark.records import TOPIC_ID, Sent, contract, records

A, B = b'{"time": "01 01 2018 00:00", "p": 1}', b'{"time": "01 01 2018 00:10", "p": 2}'
OTHER_B = b'{"time": "01 01 2018 00:10", "p": 3}'


@pytest.fixture
def tried(spark: SparkSession, tmp_path: Path) -> Try:
    """A try whose tables are made and empty."""
    this = Try(spark, contract(), Warehouse(tmp_path / "ware house", "small"), "a run", "first")
    this.warehouse.prepare()
    create_tables(spark, this.warehouse)
    return this


def land(this: Try, batch: int, start: int, *values: bytes | None) -> Any:
    """Land the values as the batch that begins at offset `start`."""
    ranges = (OffsetRange(partition=0, start=start, until=start + len(values)),)
    frame = records(this.spark, [Sent(value) for value in values], start)
    parsed = parse(frame, this.contract, TOPIC_ID)
    return land_batch(this, parsed, this.commit_of(batch, TOPIC_ID, ranges))


def rows(this: Try, table: str) -> list[Any]:
    """Offset and reason (or batch) of each row."""
    of = pl.col("provenance").struct.field("offset")
    which = pl.col("reason") if table == "quarantine" else pl.col("provenance").struct.field("batch")
    return scan(this.warehouse, table).select(of, which).sort("offset").collect().rows()


def test_a_repeat_is_a_duplicate_and_other_content_a_conflict(tried: Try) -> None:
    land(tried, 0, 0, A, A, b"{")
    row = land(tried, 1, 3, B, A, OTHER_B)
    assert (row.records, row.landed, row.quarantined) == (3, 1, 2)
    assert rows(tried, "readings") == [(0, 0), (3, 1)]
    assert rows(tried, "quarantine") == [
        (1, "duplicate"),
        (2, "not_an_object"),
        (4, "duplicate"),
        (5, "conflict"),
    ]


def test_a_batch_without_a_good_row_is_committed_all_the_same(tried: Try) -> None:
    land(tried, 0, 0, b"{")
    land(tried, 1, 1)
    found = commits(open_table(tried.warehouse.table("readings")), BatchCommit)
    assert [commit.metadata.batch for commit in found] == [1, 0]
    assert [(row.records, row.landed, row.quarantined) for row in read_batches(tried.warehouse)] == [
        (1, 0, 1),
        (0, 0, 0),
    ]


def test_quarantine_is_written_only_when_something_was_refused(tried: Try) -> None:
    land(tried, 0, 0, A)
    assert list(commits(open_table(tried.warehouse.table("quarantine")), BatchCommit)) == []


def test_a_batch_that_does_not_begin_at_the_position_is_refused(tried: Try) -> None:
    land(tried, 0, 0, A)
    with pytest.raises(PositionBroken):
        land(tried, 1, 5, B)


def test_what_an_earlier_contract_refused_stays_refused(tried: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = contract(landing={"unknown_fields": "quarantine"})
    _die(monkeypatch, "land.after_readings")
    with pytest.raises(_Killed):
        land(_with(tried, strict), 0, 0, A, b'{"time": "01 01 2018 00:10", "q": 3}')
    monkeypatch.undo()
    commit = open_batch(tried.warehouse)
    assert commit is not None
    again = records(tried.spark, [Sent(A), Sent(b'{"time": "01 01 2018 00:10", "q": 3}')])
    row = land_batch(tried, parse(again, tried.contract, TOPIC_ID), commit)
    assert (row.records, row.landed, row.quarantined) == (2, 1, 1)
    assert rows(tried, "readings") == [(0, 0)]
    assert rows(tried, "quarantine") == [(1, "earlier_contract")]


def test_a_rival_that_commits_the_batch_first_is_noticed(tried: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two drivers without the lock: Delta skips the second write of the batch without a word."""
    rival = Try(tried.spark, tried.contract, tried.warehouse, "another run", "rival")

    def meanwhile(candidates: DataFrame, landed: DataFrame) -> bool:
        monkeypatch.setattr(module, "any_repeats", any_repeats)
        land(rival, 0, 0, A, b"{")
        return any_repeats(candidates, landed)

    monkeypatch.setattr(module, "any_repeats", meanwhile)
    with pytest.raises(ForeignCommit, match="committed by try rival of run 'another run', not by this one"):
        land(tried, 0, 0, A, b"{")
    assert rows(tried, "readings") == [(0, 0)]
    assert rows(tried, "quarantine") == [(1, "not_an_object")]
    assert [row.try_id for row in read_batches(tried.warehouse)] == ["rival"]
    assert batch_commit(tried.warehouse.table("readings"), 0).metadata.try_id == "rival"
    assert open_batch(tried.warehouse) is None


def test_a_batch_that_a_rival_has_landed_is_not_taken_for_an_open_one(tried: Try) -> None:
    land(Try(tried.spark, tried.contract, tried.warehouse, "another run", "rival"), 0, 0, A)
    with pytest.raises(ForeignCommit):
        land(tried, 0, 0, A)


def test_small_files_are_compacted_on_the_way_and_every_batch_is_still_known(
    tried: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_session(tried.contract, "land")  # sets what a driver sets, on the session of the tests
    monkeypatch.setattr(tables, "COMPACT_EVERY", 1)
    for batch in range(3):
        land(tried, batch, 2 * batch, reading(batch), b"{")
    with monkeypatch.context() as dying:
        _die(dying, "land.after_readings")
        with pytest.raises(_Killed):
            land(tried, 3, 6, reading(3), b"{")
    commit = open_batch(tried.warehouse)
    assert commit is not None
    again = records(tried.spark, [Sent(reading(3)), Sent(b"{")], 6)
    land_batch(tried, parse(again, tried.contract, TOPIC_ID), commit)
    for table in ("readings", "quarantine"):
        done = [entry["operation"] for entry in entries(open_table(tried.warehouse.table(table)))]
        assert "OPTIMIZE" in done
        assert len(open_table(tried.warehouse.table(table)).file_uris()) == 1
    vacuum(tried.spark, tried.warehouse)
    assert rows(tried, "readings") == [(2 * batch, batch) for batch in range(4)]
    assert rows(tried, "quarantine") == [(2 * batch + 1, "not_an_object") for batch in range(4)]
    assert batch_commit(tried.warehouse.table("readings"), 0).rows == 1
    assert open_batch(tried.warehouse) is None


def test_files_are_compacted_by_the_commits_number_alone(tried: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delta left to itself compacts at the first commits of every process."""
    build_session(tried.contract, "land")
    monkeypatch.setattr(tables, "COMPACT_EVERY", 4)
    for batch in range(5):
        land(tried, batch, batch, reading(batch))
    written = entries(open_table(tried.warehouse.table("readings")))
    assert [entry["version"] for entry in written if entry["operation"] == "OPTIMIZE"] == [5]


def reading(minute: int) -> bytes:
    """A good record of that minute."""
    return b'{"time": "02 01 2018 00:%02d", "p": 1}' % minute


class _Killed(Exception):
    """Stands for SIGKILL where the session must live on; the real one is in tests/integration."""


def _die(monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    def at(name: str) -> None:
        if name == point:
            raise _Killed

    monkeypatch.setattr(module, "crash_point", at)


def _with(this: Try, other: Contract) -> Try:
    return Try(this.spark, other, this.warehouse, this.run_id, "another")
