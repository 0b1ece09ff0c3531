"""Who analyses: Spark where the contract says so, or where there is much; else the worker."""

from pathlib import Path

import pytest

from headrace.analyse import engines
from headrace.analyse.engines import analyse_here, needs_spark
from headrace.errors import PositionBroken, StreamLocked, WarehouseError
from headrace.offsets import OffsetRange
from headrace.staging.committer import commit_batch
from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.names import READINGS
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import land_values
from testbed.parse_cases import TOPIC_ID, contract


def _attempt(folder: Path, engine: str = "auto") -> Attempt:
    attempt = Attempt(contract(landing={"engine": engine}), Warehouse(folder, "small"), "a run")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    return attempt


def _values(*days: int) -> list[bytes]:
    return [f'{{"time": "{day:02} 01 2018 12:00"}}'.encode() for day in days]


def test_the_contract_decides_and_auto_by_what_is_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = _attempt(tmp_path)
    land_values(attempt, 0, 0, *_values(1, 2, 3))
    monkeypatch.setattr(engines, "SPARK_FROM", 3)
    assert [needs_spark(_attempt(tmp_path, each)) for each in ("auto", "spark", "worker")] == [
        True,
        True,
        False,
    ]
    analyse_here(_attempt(tmp_path, "worker"))
    land_values(attempt, 1, 3, *_values(5, 6))
    assert not needs_spark(attempt)
    land_values(attempt, 2, 5, *_values(2))
    assert needs_spark(attempt)  # the first batch's three, and those of the newer ones


def test_an_open_batch_is_landed_first_and_so_is_a_stream(tmp_path: Path) -> None:
    unprepared = Attempt(contract(), Warehouse(tmp_path / "none", "small"), "a run")
    with pytest.raises(WarehouseError, match="`land` has not run yet"):
        analyse_here(unprepared)
    attempt = _attempt(tmp_path)
    commit = attempt.batch_commit(0, TOPIC_ID, (OffsetRange(partition=0, start=0, until=1),))
    commit_batch(attempt.warehouse.table(READINGS), "small", commit, [])
    for refused in (analyse_here, needs_spark):
        with pytest.raises(PositionBroken, match=r"batch 0 is open.*Run `land`"):
            refused(attempt)


def test_it_is_the_one_writer(tmp_path: Path) -> None:
    attempt = _attempt(tmp_path)
    with attempt.warehouse.writing(), pytest.raises(StreamLocked):
        analyse_here(Attempt(attempt.contract, Warehouse(tmp_path, "small"), "another"))
