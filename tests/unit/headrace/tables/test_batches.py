"""The position follows from `batches`, and nothing gets past a hole or an overlap."""

from pathlib import Path

import pytest
from deltalake import write_deltalake
from deltalake.table import TableOptimizer

from headrace.errors import PositionBroken
from headrace.tables import batches, compaction
from headrace.tables.batches import (
    Batch,
    append_batch,
    landed_position,
    newest_closing,
    next_batch,
    open_batch,
    read_batches,
)
from headrace.tables.commits import NEWEST, entries, open_table
from headrace.tables.compaction import EVERY
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    return made


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


def test_hundreds_of_batches_are_a_few_files_and_lose_nothing(warehouse: Warehouse) -> None:
    rows = [a_batch(number, (0, number * 10, number * 10 + 10)) for number in range(EVERY + 5)]
    for row in rows:
        append_batch(warehouse, row)
    assert len(open_table(warehouse.table("batches")).file_uris()) < 10
    assert read_batches(warehouse) == rows
    assert (landed_position(warehouse, "t"), next_batch(warehouse)) == ({0: 10 * len(rows)}, len(rows))
    assert len(list((warehouse.table("batches") / "_delta_log").glob("*.checkpoint.parquet"))) == EVERY // 20


def test_a_table_that_cannot_be_compacted_is_closed_all_the_same(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compaction, "EVERY", 1)

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(TableOptimizer, "compact", full)
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    assert "No space left on device" in caplog.text
    assert next_batch(warehouse) == 1


def test_the_log_is_read_in_full_when_what_is_asked_for_is_old(warehouse: Warehouse) -> None:
    for number in range(NEWEST + 4):
        append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))
    versions = [entry["version"] for entry in entries(open_table(warehouse.table("batches")))]
    assert versions == list(range(NEWEST + 3, -1, -1))
