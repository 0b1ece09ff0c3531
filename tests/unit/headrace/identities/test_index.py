"""The index says where an identity may be landed, reads only what is new and survives what happens to it."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from headrace.identities import index as module
from headrace.identities import runs as identity_runs
from headrace.identities.hashing import identity_hashes
from headrace.identities.index import Identities, catch_up, folder_of
from headrace.tables.commits import open_table
from headrace.tables.creation import create_tables
from headrace.tables.names import READINGS
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import land_as_they_are
from testbed.parsed_rows import Parsed, parsed

DAY = 24 * 60
FIRST_DAY = 17532  # 2018-01-01


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    create_tables(made)
    return made


def land(warehouse: Warehouse, batch: int, identities: Sequence[int], day: int = 0) -> None:
    """Land readings of these identities on that day after the first."""
    records = [
        Parsed(offset, batch, minutes=day * DAY, identity=f"[{each}]")
        for offset, each in enumerate(identities)
    ]
    land_as_they_are(warehouse, batch, parsed(*records))


def ask(index: Identities, *identities: int) -> list[tuple[int, int]]:
    """The identities that may be landed, with the day after the first on which."""
    at, days = index.find(identity_hashes(pa.array([f"[{each}]" for each in identities])))
    return sorted(
        (identities[position], int(day) - FIRST_DAY) for position, day in zip(at, days, strict=True)
    )


def landed(warehouse: Warehouse) -> list[tuple[int, int]]:
    """What DuckDB finds in the table."""
    readings = open_table(warehouse.table(READINGS)).to_pyarrow_table(columns=["signal_date", "provenance"])
    with duckdb.connect() as base:
        base.register("readings", readings)
        return base.execute(
            "SELECT trim(provenance.identity, '[]')::BIGINT, signal_date - DATE '2018-01-01' "
            "FROM readings ORDER BY ALL"
        ).fetchall()


def test_an_empty_table_holds_no_identity(warehouse: Warehouse) -> None:
    assert ask(catch_up(warehouse), 1, 2) == []


def test_what_is_landed_is_found_with_its_day_and_nothing_else_is(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAIRS_A_RUN", 40)  # more than one run a catching up
    monkeypatch.setattr(identity_runs, "PAIRS_AT_ONCE", 64)  # merges in several stretches
    choose = np.random.default_rng(1)
    for batch in range(24):
        many = int(choose.integers(1, 120))
        land(warehouse, batch, choose.choice(5000, many, replace=False).tolist(), day=batch % 5)
        if batch % 3 == 0:
            assert ask(catch_up(warehouse), *range(5000)) == landed(warehouse)
    index = catch_up(warehouse)
    assert ask(index, *range(5000)) == landed(warehouse)
    assert len(index.runs) <= 8
    assert {run.file for run in index.runs} == set(folder_of(warehouse).glob("*.run"))


def test_an_index_made_anew_is_few_runs_too(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAIRS_A_RUN", 10)
    land(warehouse, 0, range(10))
    catch_up(warehouse)
    shutil.rmtree(folder_of(warehouse))
    for batch in range(1, 8):
        land(warehouse, batch, range(10 * batch, 10 * batch + 10))
    land(warehouse, 8, [80, 81])
    index = catch_up(warehouse)
    assert [run.pairs for run in index.runs] == [82]
    assert ask(index, *range(100)) == [(each, 0) for each in range(82)]


def test_an_unknown_identity_has_no_answer(warehouse: Warehouse) -> None:
    land(warehouse, 0, [4])
    index = catch_up(warehouse)
    at, days = index.find(pa.array([None, identity_hashes(pa.array(["[4]"]))[0].as_py(), None], pa.uint64()))
    assert (at.tolist(), days.tolist()) == ([1], [FIRST_DAY])
    assert ask(index) == []


def test_only_new_files_are_read(warehouse: Warehouse) -> None:
    land(warehouse, 0, [1, 2])
    catch_up(warehouse)
    for file in warehouse.table(READINGS).glob("*.parquet"):
        file.unlink()  # whoever reads it again fails
    land(warehouse, 1, [3], day=1)
    assert ask(catch_up(warehouse), 1, 2, 3) == [(1, 0), (2, 0), (3, 1)]


def test_nothing_new_writes_nothing(warehouse: Warehouse) -> None:
    land(warehouse, 0, [1])
    catch_up(warehouse)
    before = {file: file.stat().st_mtime_ns for file in folder_of(warehouse).iterdir()}
    catch_up(warehouse)
    assert {file: file.stat().st_mtime_ns for file in folder_of(warehouse).iterdir()} == before


def test_compaction_brings_no_identity_twice(warehouse: Warehouse) -> None:
    for batch in range(3):
        land(warehouse, batch, [batch])
        catch_up(warehouse)
    open_table(warehouse.table(READINGS)).optimize.compact()
    index = catch_up(warehouse)
    assert index.version == 4
    assert ask(index, 0, 1, 2) == [(0, 0), (1, 0), (2, 0)]
    assert sum(run.pairs for run in index.runs) == 3


def test_a_damaged_index_is_made_again(warehouse: Warehouse) -> None:
    land(warehouse, 0, [1, 2])
    folder = folder_of(warehouse)
    for damage in _damages(folder):
        catch_up(warehouse)
        damage()
        assert ask(catch_up(warehouse), 1, 2, 3) == [(1, 0), (2, 0)]


def _damages(folder: Path) -> list[Callable[[], object]]:
    def run() -> Path:
        return next(folder.glob("*.run"))

    return [
        (folder / "manifest.json").unlink,
        lambda: (folder / "manifest.json").write_text(""),
        lambda: (folder / "manifest.json").write_text('{"format": 2}'),
        lambda: run().unlink(),
        lambda: os.truncate(run(), 7),
        lambda: shutil.rmtree(folder),
    ]


def test_a_table_that_was_restored_is_read_anew(warehouse: Warehouse, tmp_path: Path) -> None:
    readings, copy = warehouse.table(READINGS), tmp_path / "backup"
    land(warehouse, 0, [1])
    shutil.copytree(readings, copy)
    land(warehouse, 1, [2])
    catch_up(warehouse)
    shutil.rmtree(readings)
    shutil.copytree(copy, readings)
    assert ask(catch_up(warehouse), 1, 2) == [(1, 0)]  # the index was ahead
    land(warehouse, 1, [2])
    catch_up(warehouse)
    shutil.rmtree(readings)
    shutil.copytree(copy, readings)
    land(warehouse, 1, [3])
    land(warehouse, 2, [4])
    assert ask(catch_up(warehouse), 1, 2, 3, 4) == [(1, 0), (3, 0), (4, 0)]  # another past


def test_a_table_rolled_back_by_a_commit_loses_no_identity_that_comes_again(warehouse: Warehouse) -> None:
    land(warehouse, 0, [1])
    land(warehouse, 1, [2])
    catch_up(warehouse)
    open_table(warehouse.table(READINGS)).restore(1)
    assert (1, 0) in ask(catch_up(warehouse), 1, 2)
    assert landed(warehouse) == [(1, 0)]


def test_a_log_that_was_cleaned_up_is_no_loss(warehouse: Warehouse) -> None:
    land(warehouse, 0, [1])
    catch_up(warehouse)
    for batch in range(1, 4):
        land(warehouse, batch, [batch + 1])
    table = open_table(warehouse.table(READINGS))
    table.create_checkpoint()
    (warehouse.table(READINGS) / "_delta_log" / f"{2:020}.json").unlink()
    assert ask(catch_up(warehouse), *range(6)) == [(1, 0), (2, 0), (3, 0), (4, 0)]


@pytest.mark.parametrize("step", ["write_run", "merge", "write_whole", "_remove"])
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_process_that_dies_on_the_way_leaves_an_index_that_works(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str, done: bool
) -> None:
    land(warehouse, 0, [1])
    catch_up(warehouse)
    land(warehouse, 1, [2])
    with monkeypatch.context() as dying:
        dying.setattr(module, step, _dies(getattr(module, step), done))
        with pytest.raises(_Killed):
            catch_up(warehouse)
    assert ask(catch_up(warehouse), 1, 2, 3) == [(1, 0), (2, 0)]


def test_what_a_killed_process_left_is_removed_a_day_later(warehouse: Warehouse) -> None:
    land(warehouse, 0, [1])
    catch_up(warehouse)
    left, young = folder_of(warehouse) / "left.run", folder_of(warehouse) / "young.run"
    for file in (left, young):
        file.write_bytes(b"x")
    os.utime(left, (0, 0))
    land(warehouse, 1, [2])
    catch_up(warehouse)
    assert (left.exists(), young.exists()) == (False, True)


class _Killed(Exception):
    pass


def _dies(real: Callable[..., object], done: bool) -> Callable[..., object]:
    def instead(*args: object) -> object:
        if done:
            real(*args)
        raise _Killed

    return instead
