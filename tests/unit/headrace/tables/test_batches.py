"""The position follows from `batches`, and nothing gets past a hole or an overlap."""

import multiprocessing as processes
from multiprocessing.synchronize import Barrier
from typing import Any

import deltalake
import pytest
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError

from headrace.errors import ForeignCommit, HeadraceError, PositionBroken, WarehouseUnavailable
from headrace.offsets import OffsetRange
from headrace.tables import batches
from headrace.tables.batches import (
    Batch,
    append_batch,
    begin_batch,
    landed_position,
    newest_closing,
    next_batch,
    open_batch,
    read_batches,
)
from headrace.tables.commits import open_table
from headrace.tables.creation import create_tables
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch


def test_an_empty_warehouse_stands_at_the_beginning(warehouse: Warehouse) -> None:
    assert (landed_position(warehouse, "t"), next_batch(warehouse), open_batch(warehouse)) == ({}, 0, None)


def test_what_is_appended_is_read_back(warehouse: Warehouse) -> None:
    rows = [a_batch(0, (0, 0, 10), (1, 0, 5)), a_batch(1, (0, 10, 12)), a_batch(2, (2, 0, 1))]
    for row in rows:
        append_batch(warehouse, row)
    assert read_batches(warehouse) == rows
    assert landed_position(warehouse, "t") == {0: 12, 1: 5, 2: 1}
    assert next_batch(warehouse) == 3


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (a_batch(1, (0, 11, 12)), r"batch 1: 0:\[11, 12\) does not begin at 10"),
        (a_batch(1, (0, 9, 12)), r"does not begin at 10"),
        (a_batch(0, (0, 10, 12)), "batch 0 is closed already"),
    ],
    ids=["a hole", "an overlap", "the same number"],
)
def test_a_batch_that_does_not_fit_is_refused(warehouse: Warehouse, row: Batch, message: str) -> None:
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    with pytest.raises(PositionBroken, match=message):
        append_batch(warehouse, row)
    assert len(read_batches(warehouse)) == 1


RACES = 20


def test_of_two_processes_one_closes_each_batch_and_the_other_knows(warehouse: Warehouse) -> None:
    """No lock: between the look at the newest batch and the commit, the number of the batch decides."""
    create_tables(warehouse)
    spawn = processes.get_context("spawn")
    start, results = spawn.Barrier(2), spawn.SimpleQueue()
    racers = [
        spawn.Process(target=_race, args=(warehouse, name, start, results)) for name in ("one", "other")
    ]
    for racer in racers:
        racer.start()
    said = [results.get() for _ in range(2 * RACES)]
    for racer in racers:
        racer.join(60)
    for number in range(RACES):
        assert sorted(how for batch, _, how in said if batch == number) == ["HR402", "won"], number
    winners = {batch: name for batch, name, how in said if how == "won"}
    assert {row.batch: row.try_id for row in read_batches(warehouse)} == winners
    assert len(read_batches(warehouse)) == RACES


def _race(warehouse: Warehouse, name: str, start: Barrier, results: Any) -> None:
    for number in range(RACES):
        start.wait(60)
        try:
            append_batch(warehouse, a_batch(number, (0, number, number + 1), try_id=name))
            results.put((number, name, "won"))
        except HeadraceError as lost:
            results.put((number, name, lost.code))


def test_a_rival_that_closes_the_first_batch_meanwhile_is_named(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the newest batch, of which there is none, and the commit."""
    create_tables(warehouse)
    look = batches.newest_closing

    def overtaken(asked: Warehouse) -> None:
        assert look(asked) is None
        monkeypatch.setattr(batches, "newest_closing", look)
        append_batch(asked, a_batch(0, (0, 0, 10), try_id="theirs"))

    monkeypatch.setattr(batches, "newest_closing", overtaken)
    with pytest.raises(ForeignCommit, match="closed by try theirs"):
        append_batch(warehouse, a_batch(0, (0, 0, 10), try_id="mine"))
    assert [row.try_id for row in read_batches(warehouse)] == ["theirs"]


def test_a_batch_that_another_try_closed_is_refused(warehouse: Warehouse) -> None:
    append_batch(warehouse, a_batch(0, (0, 0, 10), try_id="theirs"))
    with pytest.raises(ForeignCommit, match="closed by try theirs"):
        append_batch(warehouse, a_batch(0, (0, 0, 10), try_id="mine"))


def test_a_closing_whose_answer_is_lost_is_found_by_reading_back(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers_with_an_error(*args: Any, **kwargs: Any) -> None:
        write_deltalake(*args, **kwargs)
        raise CommitFailedError("connection reset")

    monkeypatch.setattr(deltalake, "write_deltalake", answers_with_an_error)
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    assert [row.batch for row in read_batches(warehouse)] == [0]


def test_a_closing_that_failed_is_transient(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(deltalake, "write_deltalake", full)
    with pytest.raises(WarehouseUnavailable, match="No space left"):
        append_batch(warehouse, a_batch(0, (0, 0, 10)))


def test_ranges_that_a_rival_has_landed_get_no_number(warehouse: Warehouse) -> None:
    """Theirs was the number 0, and the ranges are drawn up from where they began: 1 is free, and not ours."""
    ranges = (OffsetRange(partition=0, start=0, until=10),)
    assert begin_batch(warehouse, "t", ranges) == 0
    append_batch(warehouse, a_batch(0, (0, 0, 5)))
    with pytest.raises(ForeignCommit, match=r"another process has landed 0:\[0, 10\)"):
        begin_batch(warehouse, "t", ranges)
    assert begin_batch(warehouse, "t", (OffsetRange(partition=0, start=5, until=10),)) == 1
    with pytest.raises(PositionBroken, match="does not begin at 5"):
        begin_batch(warehouse, "t", (OffsetRange(partition=0, start=6, until=10),))


def test_another_topic_has_a_position_of_its_own(warehouse: Warehouse) -> None:
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    append_batch(warehouse, a_batch(1, (0, 0, 3), topic_id="again"))
    assert landed_position(warehouse, "t") == {0: 10}
    assert landed_position(warehouse, "again") == {0: 3}
    newest = newest_closing(warehouse)
    assert newest is not None
    assert (newest.batch, newest.topic_id) == (1, "again")


def test_the_position_is_read_from_the_newest_commit_alone(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))
    monkeypatch.setattr(batches, "read_batches", None)  # a call of it would fail
    assert (landed_position(warehouse, "t"), next_batch(warehouse)) == ({0: 30}, 3)
    append_batch(warehouse, a_batch(3, (0, 30, 40)))
    assert landed_position(warehouse, "t") == {0: 40}


def test_a_row_removed_by_hand_is_not_hidden_by_the_log(warehouse: Warehouse) -> None:
    for number in range(3):
        append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))
    open_table(warehouse.table("batches")).delete("batch = 2")
    assert (landed_position(warehouse, "t"), next_batch(warehouse)) == ({0: 20}, 2)


def test_batches_that_name_no_position_in_their_commits_are_counted(warehouse: Warehouse) -> None:
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    table = open_table(warehouse.table("batches"))
    write_deltalake(table, table.to_pyarrow_table(), mode="overwrite")  # as an older version wrote them
    assert (landed_position(warehouse, "t"), next_batch(warehouse)) == ({0: 10}, 1)
    append_batch(warehouse, a_batch(1, (0, 10, 12)))
    assert landed_position(warehouse, "t") == {0: 12}
