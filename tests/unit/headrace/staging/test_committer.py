"""A batch is committed once, whoever races for it and whatever becomes of the answer."""

import json
import multiprocessing as processes
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from headrace.errors import ForeignCommit, HeadraceError, WarehouseError, WarehouseUnavailable
from headrace.staging.committer import commit_batch
from headrace.staging.staged import Staged
from headrace.staging.staging import Staging, stage
from headrace.tables.commits import batch_commit, log_file, newest_batch, open_table
from headrace.tables.creation import create_tables
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import a_commit
from testbed.parsed_rows import START, Parsed, parsed

RACES = 30


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    create_tables(made)
    return made


def staging(warehouse: Warehouse, batch: int) -> Staging:
    return Staging(warehouse.table("readings"), warehouse.table("quarantine"), batch, START, "UTC", True)


def staged(warehouse: Warehouse, batch: int) -> Staged:
    return stage([parsed(Parsed(batch, identity=f"[{batch}]"), Parsed(batch))], staging(warehouse, batch))


def test_a_batch_is_committed_with_its_number_its_metadata_and_its_rows(warehouse: Warehouse) -> None:
    path = warehouse.table("readings")
    done = commit_batch(path, "mill", a_commit(0, "mine"), staged(warehouse, 0).readings)
    assert (done.version, done.rows, done.metadata) == (1, 2, a_commit(0, "mine"))
    assert newest_batch(path, "mill") == 0
    assert batch_commit(path, 0) == done
    assert open_table(path).to_pyarrow_table().num_rows == 2


def test_a_batch_without_rows_is_committed_all_the_same(warehouse: Warehouse) -> None:
    path = warehouse.table("readings")
    done = commit_batch(path, "mill", a_commit(0, "mine"), ())
    assert (done.rows, newest_batch(path, "mill")) == (0, 0)


def test_the_same_try_may_commit_again_and_adds_nothing(warehouse: Warehouse) -> None:
    path, files = warehouse.table("readings"), staged(warehouse, 0).readings
    assert commit_batch(path, "mill", a_commit(0, "mine"), files) == commit_batch(
        path, "mill", a_commit(0, "mine"), files
    )
    assert open_table(path).version() == 1


def test_a_batch_that_another_try_holds_is_refused(warehouse: Warehouse) -> None:
    path = warehouse.table("readings")
    commit_batch(path, "mill", a_commit(0, "theirs"), staged(warehouse, 0).readings)
    with pytest.raises(ForeignCommit, match="committed by try theirs"):
        commit_batch(path, "mill", a_commit(0, "mine"), staged(warehouse, 0).readings)
    assert open_table(path).to_pyarrow_table().num_rows == 2


def test_a_commit_whose_answer_is_lost_is_found_by_reading_back(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = warehouse.table("readings")
    _after_commit(monkeypatch, CommitFailedError("connection reset"))
    done = commit_batch(path, "mill", a_commit(0, "mine"), staged(warehouse, 0).readings)
    assert (done.metadata.try_id, done.rows, open_table(path).version()) == ("mine", 2, 1)


def test_a_commit_that_failed_is_transient(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    path, files = warehouse.table("readings"), staged(warehouse, 0).readings

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", fails)
    with pytest.raises(WarehouseUnavailable, match="No space left"):
        commit_batch(path, "mill", a_commit(0, "mine"), files)
    assert newest_batch(path, "mill") == -1


@pytest.mark.parametrize("left", [None, b"", b"PAR1"], ids=["gone", "empty", "cut off"])
def test_a_staged_file_that_is_not_whole_is_never_committed(warehouse: Warehouse, left: bytes | None) -> None:
    path, (file,) = warehouse.table("readings"), staged(warehouse, 0).readings
    (path / file.path).unlink()
    if left is not None:
        (path / file.path).write_bytes(left)
    with pytest.raises(WarehouseUnavailable, match=f"{file.path}: staged with {file.size} bytes"):
        commit_batch(path, "mill", a_commit(0, "mine"), [file])
    assert newest_batch(path, "mill") == -1
    assert commit_batch(path, "mill", a_commit(0, "mine"), staged(warehouse, 0).readings).rows == 2


def test_a_table_that_is_gone_is_transient(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseUnavailable, match="elsewhere"):
        commit_batch(warehouse.table("elsewhere"), "mill", a_commit(0, "mine"), ())


def test_a_clustered_table_is_refused_for_good(warehouse: Warehouse) -> None:
    path = warehouse.table("readings")
    first = log_file(path, 0).read_text().splitlines()
    clustered = {
        "minReaderVersion": 1,
        "minWriterVersion": 7,
        "writerFeatures": ["domainMetadata", "clustering"],
    }
    lines = [
        json.dumps({"protocol": clustered}) if "protocol" in json.loads(line) else line for line in first
    ]
    log_file(path, 0).write_text("\n".join(lines))
    with pytest.raises(WarehouseError, match="run `headrace migrate`"):
        commit_batch(path, "mill", a_commit(0, "mine"), ())


def test_of_two_processes_one_wins_each_batch_and_the_other_knows(warehouse: Warehouse) -> None:
    """No lock: the number of the batch alone decides."""
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
        assert racer.exitcode == 0
    for batch in range(RACES):
        won = [name for number, name, how in said if number == batch and how == "won"]
        lost = [how for number, _, how in said if number == batch and how != "won"]
        assert (len(won), lost) == (1, ["HR402"]), batch
        assert batch_commit(warehouse.table("readings"), batch).metadata.try_id == won[0]
    rows = open_table(warehouse.table("readings")).to_pyarrow_table(columns=["provenance"])
    batches = [row["provenance"]["batch"] for row in rows.to_pylist()]
    assert sorted(batches) == sorted([*range(RACES), *range(RACES)])


def _race(warehouse: Warehouse, name: str, start: Barrier, results: Any) -> None:
    for batch in range(RACES):
        files = staged(warehouse, batch).readings
        start.wait(60)
        try:
            commit_batch(warehouse.table("readings"), "mill", a_commit(batch, name), files)
            results.put((batch, name, "won"))
        except HeadraceError as lost:
            results.put((batch, name, lost.code))


def _after_commit(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let the commit come through and its answer be an error."""
    real: Callable[..., None] = DeltaTable.create_write_transaction

    def answers_with_an_error(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        raise error

    monkeypatch.setattr(DeltaTable, "create_write_transaction", answers_with_an_error)


def test_who_asks_for_a_text_finds_its_rows(warehouse: Warehouse) -> None:
    """Readers pass over files by their bounds, and delta-rs over those without one."""
    records = [Parsed(0, entity="a"), Parsed(1, entity="b"), Parsed(2, reason="empty", message="m")]
    both = stage([parsed(*records)], staging(warehouse, 0))
    found = {}
    for name, files in (("readings", both.readings), ("quarantine", both.quarantine)):
        commit_batch(warehouse.table(name), "mill", a_commit(0, "mine"), files)
        found[name] = open_table(warehouse.table(name)).to_pyarrow_dataset()
    assert found["readings"].count_rows(filter=pc.field("entity") == "b") == 1
    assert found["quarantine"].count_rows(filter=pc.field("reason") == "empty") == 1
    assert found["quarantine"].count_rows(filter=pc.field("message") == "m") == 1
