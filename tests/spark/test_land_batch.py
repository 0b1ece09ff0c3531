"""One batch into real Delta tables: repeats, replays, rivals."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import DataFrame, SparkSession

from headrace.contract.model import Contract
from headrace.errors import ForeignCommit, PositionBroken
from headrace.offsets import OffsetRange
from headrace.tables.attempt import Attempt
from headrace.tables.batches import open_batch, read_batches
from headrace.tables.commits import BatchCommit, batch_commit, commits, entries, open_table
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse
from headrace_spark import land_batch as module
from headrace_spark import tables
from headrace_spark.land_batch import land_batch
from headrace_spark.parse import parse
from headrace_spark.repeats import any_repeats
from headrace_spark.session import build_session
from headrace_spark.tables import create_tables, vacuum
from testbed.records import TOPIC_ID, Sent, contract, records

A, B = b'{"time": "01 01 2018 00:00", "p": 1}', b'{"time": "01 01 2018 00:10", "p": 2}'
OTHER_B = b'{"time": "01 01 2018 00:10", "p": 3}'


@pytest.fixture
def attempt(spark: SparkSession, tmp_path: Path) -> Attempt:
    """An attempt whose tables are made and empty."""
    attempt = Attempt(contract(), Warehouse(tmp_path / "ware house", "small"), "a run", "first")
    attempt.warehouse.prepare()
    create_tables(spark, attempt.warehouse)
    return attempt


def land(attempt: Attempt, batch: int, start: int, *values: bytes | None) -> Any:
    """Land the values as the batch that begins at offset `start`."""
    ranges = (OffsetRange(partition=0, start=start, until=start + len(values)),)
    frame = records(SparkSession.active(), [Sent(value) for value in values], start)
    parsed = parse(frame, attempt.contract, TOPIC_ID)
    return land_batch(attempt, parsed, attempt.batch_commit(batch, TOPIC_ID, ranges))


def rows(attempt: Attempt, table: str) -> list[Any]:
    """Offset and reason (or batch) of each row."""
    of = pl.col("provenance").struct.field("offset")
    which = pl.col("reason") if table == "quarantine" else pl.col("provenance").struct.field("batch")
    return scan(attempt.warehouse, table).select(of, which).sort("offset").collect().rows()


def test_a_repeat_is_a_duplicate_and_other_content_a_conflict(attempt: Attempt) -> None:
    land(attempt, 0, 0, A, A, b"{")
    row = land(attempt, 1, 3, B, A, OTHER_B)
    assert (row.records, row.landed, row.quarantined) == (3, 1, 2)
    assert rows(attempt, "readings") == [(0, 0), (3, 1)]
    assert rows(attempt, "quarantine") == [
        (1, "duplicate"),
        (2, "not_an_object"),
        (4, "duplicate"),
        (5, "conflict"),
    ]


def test_a_batch_without_a_good_row_is_committed_all_the_same(attempt: Attempt) -> None:
    land(attempt, 0, 0, b"{")
    land(attempt, 1, 1)
    found = commits(open_table(attempt.warehouse.table("readings")), BatchCommit)
    assert [commit.metadata.batch for commit in found] == [1, 0]
    assert [(row.records, row.landed, row.quarantined) for row in read_batches(attempt.warehouse)] == [
        (1, 0, 1),
        (0, 0, 0),
    ]


def test_quarantine_is_written_only_when_something_was_refused(attempt: Attempt) -> None:
    land(attempt, 0, 0, A)
    assert list(commits(open_table(attempt.warehouse.table("quarantine")), BatchCommit)) == []


def test_a_batch_that_does_not_begin_at_the_position_is_refused(attempt: Attempt) -> None:
    land(attempt, 0, 0, A)
    with pytest.raises(PositionBroken):
        land(attempt, 1, 5, B)


def test_what_an_earlier_contract_refused_stays_refused(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = contract(landing={"unknown_fields": "quarantine"})
    _die(monkeypatch, "land.after_readings")
    with pytest.raises(_Killed):
        land(_with(attempt, strict), 0, 0, A, b'{"time": "01 01 2018 00:10", "q": 3}')
    monkeypatch.undo()
    commit = open_batch(attempt.warehouse)
    assert commit is not None
    again = records(SparkSession.active(), [Sent(A), Sent(b'{"time": "01 01 2018 00:10", "q": 3}')])
    row = land_batch(attempt, parse(again, attempt.contract, TOPIC_ID), commit)
    assert (row.records, row.landed, row.quarantined) == (2, 1, 1)
    assert rows(attempt, "readings") == [(0, 0)]
    assert rows(attempt, "quarantine") == [(1, "earlier_contract")]


def test_a_rival_that_commits_the_batch_first_is_noticed(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two drivers without the lock: Delta skips the second write of the batch without a word."""
    rival = Attempt(attempt.contract, attempt.warehouse, "another run", "rival")

    def meanwhile(candidates: DataFrame, landed: DataFrame) -> bool:
        monkeypatch.setattr(module, "any_repeats", any_repeats)
        land(rival, 0, 0, A, b"{")
        return any_repeats(candidates, landed)

    monkeypatch.setattr(module, "any_repeats", meanwhile)
    with pytest.raises(ForeignCommit, match="committed by try rival of run 'another run', not by this one"):
        land(attempt, 0, 0, A, b"{")
    assert rows(attempt, "readings") == [(0, 0)]
    assert rows(attempt, "quarantine") == [(1, "not_an_object")]
    assert [row.try_id for row in read_batches(attempt.warehouse)] == ["rival"]
    assert batch_commit(attempt.warehouse.table("readings"), 0).metadata.try_id == "rival"
    assert open_batch(attempt.warehouse) is None


def test_a_batch_that_a_rival_has_landed_is_not_taken_for_an_open_one(attempt: Attempt) -> None:
    land(Attempt(attempt.contract, attempt.warehouse, "another run", "rival"), 0, 0, A)
    with pytest.raises(ForeignCommit):
        land(attempt, 0, 0, A)


def test_small_files_are_compacted_on_the_way_and_every_batch_is_still_known(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_session(attempt.contract, "land")  # sets what a driver sets, on the session of the tests
    monkeypatch.setattr(tables, "COMPACT_EVERY", 1)
    for batch in range(3):
        land(attempt, batch, 2 * batch, reading(batch), b"{")
    with monkeypatch.context() as dying:
        _die(dying, "land.after_readings")
        with pytest.raises(_Killed):
            land(attempt, 3, 6, reading(3), b"{")
    commit = open_batch(attempt.warehouse)
    assert commit is not None
    again = records(SparkSession.active(), [Sent(reading(3)), Sent(b"{")], 6)
    land_batch(attempt, parse(again, attempt.contract, TOPIC_ID), commit)
    for table in ("readings", "quarantine"):
        done = [entry["operation"] for entry in entries(open_table(attempt.warehouse.table(table)))]
        assert "OPTIMIZE" in done
        assert len(open_table(attempt.warehouse.table(table)).file_uris()) == 1
    vacuum(SparkSession.active(), attempt.warehouse)
    assert rows(attempt, "readings") == [(2 * batch, batch) for batch in range(4)]
    assert rows(attempt, "quarantine") == [(2 * batch + 1, "not_an_object") for batch in range(4)]
    assert batch_commit(attempt.warehouse.table("readings"), 0).rows == 1
    assert open_batch(attempt.warehouse) is None


def test_files_are_compacted_by_the_commits_number_alone(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delta left to itself compacts at the first commits of every process."""
    build_session(attempt.contract, "land")
    monkeypatch.setattr(tables, "COMPACT_EVERY", 4)
    for batch in range(5):
        land(attempt, batch, batch, reading(batch))
    written = entries(open_table(attempt.warehouse.table("readings")))
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


def _with(attempt: Attempt, other: Contract) -> Attempt:
    return Attempt(other, attempt.warehouse, attempt.run_id, "another")
