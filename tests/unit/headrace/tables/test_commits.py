"""A table's log, read without a JVM."""

import json
import re

import pytest

from headrace.errors import CommitTorn
from headrace.tables.batches import append_batch, read_batches
from headrace.tables.commits import NEWEST, entries, log_file, newest_batch, open_table, restored_version
from headrace.tables.creation import create_tables
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch
from testbed.landed_batches import land_as_they_are
from testbed.parsed_rows import Parsed, parsed


def test_the_log_is_read_in_full_when_what_is_asked_for_is_old(warehouse: Warehouse) -> None:
    for number in range(NEWEST + 4):
        append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))
    versions = [entry["version"] for entry in entries(open_table(warehouse.table("batches")))]
    assert versions == list(range(NEWEST + 3, -1, -1))


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ({"version": "1", "timestamp": None}, 1),  # Spark's, and delta-rs' own
        ({"version": None, "timestamp": "2026-11-26 12:00:00"}, 0),
        ({"datetime": str(2**53)}, 2),
    ],
)
def test_a_restoration_says_where_it_went_back_to(
    warehouse: Warehouse, asked: dict[str, str | None], version: int
) -> None:
    for number in range(3):
        append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))
    table = open_table(warehouse.table("batches"))
    assert restored_version(table, {"version": 3, "operationParameters": asked}) == version


TORN = {
    "empty": lambda whole: b"",
    "half": lambda whole: whole[: len(whole) // 2],
    "zeros": lambda whole: b"\0" * len(whole),
    "behind its first line": lambda whole: whole[: whole.index(b"\n")],
}


@pytest.mark.parametrize("how", TORN)
def test_a_torn_newest_commit_is_named_and_removing_it_helps(how: str, warehouse: Warehouse) -> None:
    for number in range(2):
        append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))
    newest = log_file(warehouse.table("batches"), 1)
    newest.write_bytes(TORN[how](newest.read_bytes()))
    with pytest.raises(CommitTorn, match=re.escape(f"{newest}: the table's newest commit is cut off")):
        read_batches(warehouse)
    newest.unlink()  # as the message says
    assert [row.batch for row in read_batches(warehouse)] == [0]
    append_batch(warehouse, a_batch(1, (0, 10, 20)))
    assert [row.batch for row in read_batches(warehouse)] == [0, 1]


def test_a_batch_whose_commit_is_torn_behind_its_files_is_no_batch(warehouse: Warehouse) -> None:
    """Each line that is left can be read, and its rows would count: without the number they come twice."""
    create_tables(warehouse)
    land_as_they_are(warehouse, 0, parsed(Parsed(0)))
    land_as_they_are(warehouse, 1, parsed(Parsed(1)))
    readings = warehouse.table("readings")
    newest = log_file(readings, 2)
    lines = newest.read_bytes().splitlines(keepends=True)
    assert [next(iter(json.loads(line))) for line in lines] == ["commitInfo", "add", "txn"]
    newest.write_bytes(b"".join(lines[:2]))
    with pytest.raises(CommitTorn):
        newest_batch(readings, warehouse.stream)
    newest.unlink()
    assert newest_batch(readings, warehouse.stream) == 0


def test_a_commit_that_was_answered_is_on_the_disk(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        "headrace.tables.durability.sync", lambda *paths: synced.extend(p.name for p in paths)
    )
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    table = warehouse.table("batches")
    (file,) = (each.name for each in table.glob("*.parquet"))
    assert synced == [file, "batches", log_file(table, 0).name, "_delta_log"]
