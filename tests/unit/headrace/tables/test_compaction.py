"""Small files become few at every fiftieth commit and keep their statistics; what nobody needs is removed."""

import os
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake.table import TableOptimizer

from headrace.tables import compaction
from headrace.tables.batches import append_batch, landed_position, next_batch, read_batches
from headrace.tables.commits import entries, newest_batch, open_table
from headrace.tables.compaction import EVERY, compact
from headrace.tables.creation import create_tables
from headrace.tables.names import READINGS
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch
from testbed.landed_batches import land_as_they_are
from testbed.parsed_rows import Parsed, parsed

WEEK = 7 * 24 * 3600


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    create_tables(made)
    return made


def land(warehouse: Warehouse, batch: int, rows: int = 2) -> None:
    records = [Parsed(10_000 * batch + n, minutes=batch * 1440 + n + 0.00001) for n in range(rows)]
    land_as_they_are(warehouse, batch, parsed(*records))
    compact(warehouse.table(READINGS))


def ask(warehouse: Warehouse, what: str) -> tuple[Any, ...]:
    with duckdb.connect() as base:
        base.execute("SET TimeZone = 'UTC'")
        base.register("readings", open_table(warehouse.table(READINGS)).to_pyarrow_table())
        (row,) = base.execute(f"SELECT {what} FROM readings").fetchall()
        return row


def described(warehouse: Warehouse) -> list[dict[str, Any]]:
    return pa.table(open_table(warehouse.table(READINGS)).get_add_actions(flatten=True)).to_pylist()


def test_fifty_batches_become_a_file_that_says_what_it_holds(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    for batch in range(EVERY - 1):
        land(warehouse, batch)
    assert len(described(warehouse)) == EVERY - 1
    land(warehouse, EVERY - 1)
    (file,) = described(warehouse)
    names = [
        f"{bound}.{column}"
        for bound in ("min", "max")
        for column in ("signal_date", "provenance.offset", "provenance.batch")
    ]
    held = ask(warehouse, ", ".join(f"{name.replace('.', '(', 1)})" for name in names))
    assert tuple(file[name] for name in names) == held
    first, last = ask(warehouse, "epoch_us(min(signal_ts)), epoch_us(max(signal_ts))")
    assert file["min.signal_ts"].timestamp() * 1e6 <= first
    assert file["max.signal_ts"].timestamp() * 1e6 + 999 >= last  # cut off to milliseconds, as Delta does
    assert (file["num_records"], newest_batch(warehouse.table(READINGS), "mill")) == (2 * EVERY, EVERY - 1)
    land(warehouse, EVERY)
    assert len(described(warehouse)) == 2
    assert caplog.text == ""  # what fails is only warned of


def test_a_file_that_is_large_enough_is_left_alone(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(warehouse, 0, rows=2000)
    (large,) = described(warehouse)
    monkeypatch.setattr(compaction, "SMALL_BYTES", large["size_bytes"])
    monkeypatch.setattr(compaction, "EVERY", 3)
    land(warehouse, 1)
    land(warehouse, 2)
    paths = [file["path"] for file in described(warehouse)]
    assert len(paths) == 2
    assert large["path"] in paths


def test_files_that_killed_processes_staged_are_removed_after_a_week(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "EVERY", 1)
    folder = warehouse.table(READINGS)
    old, young = (folder / f"batch-9-{name}.parquet" for name in ("old", "young"))
    for file, age in ((old, WEEK + 60), (young, WEEK - 60)):
        file.write_bytes(b"x")
        os.utime(file, (time.time() - age,) * 2)
    land(warehouse, 0)
    open_table(folder).create_checkpoint()
    land(warehouse, 1)
    assert (old.exists(), young.exists()) == (False, True)
    assert ask(warehouse, "count(*)") == (4,)
    assert "OPTIMIZE" in [entry["operation"] for entry in entries(open_table(folder))]


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
