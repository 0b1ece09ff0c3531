"""What a migration refuses, and what its counting sees; tests/spark has tables of Delta-Spark."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction

from headrace.errors import (
    HeadraceError,
    NotReconciled,
    PositionBroken,
    StreamLocked,
    TablesApart,
    WarehouseError,
)
from headrace.migrate import rebuilding
from headrace.migrate.migration import migrate
from headrace.tables.batches import append_batch
from headrace.tables.commits import application_id, batch_commit, newest_batch
from headrace.tables.creation import create_tables
from headrace.tables.names import BATCHES, LANDED, QUARANTINE, READINGS
from headrace.tables.warehouse import LAYOUT, Warehouse
from testbed.batch_rows import a_batch
from testbed.landed_batches import a_commit, land_as_they_are
from testbed.parsed_rows import Parsed, parsed


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Tables that say they are of layout 1, with three batches; of the newest nothing was refused."""
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    create_tables(made)
    for batch in range(2):
        refused = Parsed(10 * batch + 1, reason="empty", message="no value")
        land_as_they_are(made, batch, parsed(Parsed(10 * batch, publication="a", row=batch + 1), refused))
    land_as_they_are(made, 2, parsed(Parsed(20), Parsed(21)))
    for batch in range(3):
        row = a_batch(batch, (0, batch, batch + 1), topic_id="topic-1", run_id="a run", try_id="mine")
        append_batch(made, row)
    made.note_layout(1)
    return made


def _as_they_were(warehouse: Warehouse) -> bool:
    rows = [len(DeltaTable(warehouse.table(name)).to_pyarrow_table()) for name in LANDED]
    untouched = warehouse.layout() == 1 and rows == [4, 2]
    return untouched and not (warehouse.folder / "_layout2").exists()


def _migration_refused(warehouse: Warehouse, kind: type[HeadraceError], says: str) -> None:
    with pytest.raises(kind, match=says):
        migrate(warehouse, print)
    assert _as_they_were(warehouse)


def _foreign_commit(path: Path) -> None:
    table = DeltaTable(path)
    foreign = CommitProperties(app_transactions=[Transaction("somebody", 7)])
    table.create_write_transaction([], "append", table.schema(), commit_properties=foreign)


def _damaged(rows: pa.Table, change: dict[str, Any], at: int) -> pa.Table:
    damaged = rows.to_pylist()
    damaged[at]["provenance"] |= change
    return pa.Table.from_pylist(damaged, schema=rows.schema)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"batch": 1}, "batch 0, publication a: 1 rows before, 0 after"),
        ({"offset": 5}, "batch 0, publication a: 1 rows before, 1 after, of other records"),
        ({"topic_id": "another"}, "batch 0, publication a: 0 rows before, 1 after"),
    ],
)
def test_a_row_that_came_to_another_place_is_named(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: str
) -> None:
    read = rebuilding.old_rows

    def misread(name: str, files: list[Path]) -> Iterator[pa.Table]:
        for number, rows in enumerate(read(name, files)):
            yield _damaged(rows, change, 0) if (name, number) == (READINGS, 0) else rows

    monkeypatch.setattr(rebuilding, "old_rows", misread)
    _migration_refused(warehouse, NotReconciled, says)
    monkeypatch.undo()
    migrate(warehouse, print)
    assert warehouse.layout() == LAYOUT


def test_a_lost_and_a_doubled_row_are_named(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    read = rebuilding.old_rows
    monkeypatch.setattr(rebuilding, "old_rows", lambda name, files: list(read(name, files))[1:])
    _migration_refused(warehouse, NotReconciled, r"batch 0, publication a: 1 rows before, 0 after")
    monkeypatch.setattr(rebuilding, "old_rows", lambda name, files: 2 * list(read(name, files)))
    _migration_refused(warehouse, NotReconciled, r"batch 2, publication None: 2 rows before, 4 after")


def test_a_file_that_does_not_hold_what_was_written_is_found(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = rebuilding.write_rows
    monkeypatch.setattr(
        rebuilding,
        "write_rows",
        lambda path, batch, rows: write(path, batch, _damaged(rows, {"identity": "x"}, 0)),
    )
    _migration_refused(warehouse, NotReconciled, "holds other rows than were written")


@pytest.mark.parametrize("cleaned", [READINGS, QUARANTINE])
def test_a_log_that_has_forgotten_the_newest_batch_is_helped_by_batches(
    warehouse: Warehouse, cleaned: str
) -> None:
    """Delta removes commits of a month ago; the number stays in the checkpoint."""
    path = warehouse.table(cleaned)
    newest = newest_batch(path, "mill")
    _foreign_commit(path)
    DeltaTable(path).create_checkpoint()
    (*forgotten, _) = sorted((path / "_delta_log").glob("*.json"))
    for commit in forgotten:
        commit.unlink()
    with pytest.raises(PositionBroken):
        batch_commit(path, newest)
    migrate(warehouse, print)
    assert batch_commit(path, newest).metadata == a_commit(newest)
    assert newest_batch(path, "mill") == newest


def test_batches_that_do_not_fit_are_told_of_before_anything_is_written(warehouse: Warehouse) -> None:
    shutil.rmtree(warehouse.table(BATCHES))
    _migration_refused(warehouse, TablesApart, "`readings` has come to batch 2, `batches` only to -1")


@pytest.mark.parametrize("name", LANDED)
def test_a_table_whose_log_is_gone_is_not_taken_for_one_that_is_not_there(
    warehouse: Warehouse, name: str
) -> None:
    shutil.rmtree(warehouse.table(name) / "_delta_log")
    with pytest.raises(WarehouseError, match=f"{name}: has files, but no log"):
        migrate(warehouse, print)
    assert warehouse.layout() == 1


def test_a_stream_that_has_landed_nothing_is_migrated(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    (tmp_path / "mill").mkdir()
    warehouse.note_layout(1)
    migrate(warehouse, print)
    warehouse.prepare()
    assert not (warehouse.folder / "_layout1").exists()
    create_tables(warehouse)
    warehouse.note_layout(1)
    migrate(warehouse, print)
    assert [newest_batch(warehouse.table(name), "mill") for name in LANDED] == [-1, -1]
    assert warehouse.layout() == LAYOUT


def test_older_tables_that_are_still_there_are_not_overwritten(warehouse: Warehouse) -> None:
    (warehouse.folder / "_layout1" / READINGS).mkdir(parents=True)
    _migration_refused(warehouse, WarehouseError, "_layout1: holds older tables already")


def test_a_damaged_file_is_named(warehouse: Warehouse) -> None:
    (file, *_) = warehouse.table(QUARANTINE).glob("*.parquet")
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2])
    with pytest.raises(WarehouseError, match=f"{file.name}: is damaged, restore it"):
        migrate(warehouse, print)
    file.write_bytes(good)
    assert _as_they_were(warehouse)


def test_nobody_writes_meanwhile(warehouse: Warehouse) -> None:
    with warehouse.locked():
        _migration_refused(warehouse, StreamLocked, "another process writes")


@pytest.mark.parametrize(("layout", "says"), [(99, "layout 99, this version knows 2"), (None, "no tables")])
def test_what_is_no_older_layout_is_refused(tmp_path: Path, layout: int | None, says: str) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    if layout:
        warehouse.folder.mkdir()
        warehouse.note_layout(layout)
    with pytest.raises(WarehouseError, match=says):
        migrate(warehouse, print)
    assert warehouse.layout() == layout


def test_other_applications_versions_do_not_count(warehouse: Warehouse) -> None:
    """A table that somebody else writes to as well has a newest batch of its own stream all the same."""
    _foreign_commit(warehouse.table(READINGS))
    migrate(warehouse, print)
    migrated = DeltaTable(warehouse.table(READINGS))
    assert migrated.transaction_version(application_id("mill")) == 2
    assert batch_commit(warehouse.table(READINGS), 2).rows == 2
