"""The tables are made once, whatever a killed making left behind and whoever makes them at the same time."""

import multiprocessing as processes
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from headrace.errors import WarehouseUnavailable
from headrace.tables.commits import open_table
from headrace.tables.creation import create_table, create_tables, identities_by_instant
from headrace.tables.names import LANDED, QUARANTINE, READINGS
from headrace.tables.warehouse import Warehouse

ROUNDS = 10


def test_the_tables_have_the_columns_and_comments_that_landing_promises(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    create_tables(warehouse)
    columns = {name: open_table(warehouse.table(name)).schema() for name in LANDED}
    assert [field.name for field in columns[READINGS].fields] == [
        "signal_date",
        "signal_ts",
        "create_date",
        "create_ts",
        "signals",
        "entity",
        "provenance",
    ]
    assert [field.name for field in columns[QUARANTINE].fields] == [
        "reason",
        "message",
        "key",
        "value",
        "headers",
        "provenance",
    ]
    fields = {field.name: field for field in columns[READINGS].fields}
    assert fields["signal_date"].metadata == {"comment": "day of signal_ts in the contract's zone"}
    assert fields["provenance"].type.fields[6].metadata["comment"].startswith("JSON array")
    assert all(field.nullable for schema in columns.values() for field in schema.fields)
    protocol = open_table(warehouse.table(READINGS)).protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)


def test_a_new_table_says_how_identities_hold_times_and_one_of_before_says_nothing(tmp_path: Path) -> None:
    new, old = Warehouse(tmp_path, "new"), Warehouse(tmp_path, "old")
    create_tables(new)
    create_table(old, READINGS, by_instant=False)
    assert [identities_by_instant(each) for each in (new, old)] == [True, False]
    assert open_table(new.table(QUARANTINE)).metadata().configuration.keys() == {"delta.checkpointInterval"}


@pytest.mark.parametrize(
    "left",
    [
        (),
        (".00000000000000000000.json.5d1f.tmp", "_staged_commits/.x.tmp"),  # of Spark
        ("00000000000000000000.json#1",),  # of delta-rs
    ],
)
def test_what_a_killed_making_left_behind_is_in_nobodys_way(tmp_path: Path, left: tuple[str, ...]) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    for name in LANDED:
        log = warehouse.table(name) / "_delta_log"
        (log / "_staged_commits").mkdir(parents=True)
        for file in left:
            (log / file).write_text("{")
    create_tables(warehouse)
    assert [open_table(warehouse.table(name)).version() for name in LANDED] == [0, 0]


def test_two_processes_make_the_tables_at_once(tmp_path: Path) -> None:
    spawn = processes.get_context("spawn")
    start = spawn.Barrier(2)
    makers = [spawn.Process(target=_make, args=(tmp_path, start)) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(60)
        assert maker.exitcode == 0
    for made in range(ROUNDS):
        warehouse = Warehouse(tmp_path, f"mill{made}")
        assert [open_table(warehouse.table(name)).version() for name in LANDED] == [0, 0]


def _make(root: Path, start: Barrier) -> None:
    for made in range(ROUNDS):
        warehouse = Warehouse(root, f"mill{made}")
        warehouse.prepare()
        start.wait(60)
        create_tables(warehouse)


def test_a_warehouse_that_cannot_be_written_is_transient(tmp_path: Path) -> None:
    (tmp_path / "mill").mkdir()
    (tmp_path / "mill" / "readings").symlink_to(tmp_path / "not mounted" / "readings")
    with pytest.raises(WarehouseUnavailable, match="readings"):
        create_tables(Warehouse(tmp_path, "mill"))
