"""The gold tables follow the batches, by either engine: touched days, or all of another analysis."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from headrace.analyse.engines import analyse_here
from headrace.errors import PositionBroken, WarehouseError
from headrace.offsets import OffsetRange
from headrace.staging.committer import commit_batch
from headrace.tables.attempt import Attempt
from headrace.tables.batches import landed_position
from headrace.tables.commits import GoldCommit, commits, open_table
from headrace.tables.creation import create_tables
from headrace.tables.gold_commits import newest_gold
from headrace.tables.names import READINGS
from headrace.tables.progress import is_analysed
from headrace.tables.queries import counts, scan
from headrace.tables.warehouse import Warehouse
from headrace_spark.gold import analyse as analyse_by_spark
from testbed.landed_batches import land_values
from testbed.parse_cases import TOPIC_ID, contract

Analyse = Callable[[Attempt], None]


@pytest.fixture(params=["spark", "worker"])
def analyse(request: pytest.FixtureRequest, spark: SparkSession) -> Analyse:
    return analyse_here if request.param == "worker" else partial(analyse_by_spark, spark)


def _value(day: int, minute: int, power: int) -> bytes:
    return f'{{"time": "{day:02} 01 2018 00:{minute:02}", "p": {power}}}'.encode()


def _attempt(folder: Path, **changes: Any) -> Attempt:
    attempt = Attempt(contract(**changes), Warehouse(folder, "small"), "a run", f"try {changes}")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    return attempt


def _days(attempt: Attempt) -> list[Any]:
    days = scan(attempt.warehouse, "daily_completeness").sort("signal_date")
    return days.select(pl.col("signal_date").dt.day(), "distinct_signal_ts").collect().rows()


def _versions(attempt: Attempt, table: str) -> int:
    return len(list(commits(open_table(attempt.warehouse.table(table)), GoldCommit)))


def test_a_topic_without_records_makes_empty_tables_that_later_batches_fill(
    analyse: Analyse, tmp_path: Path
) -> None:
    unprepared = Attempt(contract(), Warehouse(tmp_path / "none", "small"), "a run")
    with pytest.raises(WarehouseError, match="`land` has not run yet"):
        analyse(unprepared)
    attempt = _attempt(tmp_path)
    analyse(attempt)
    assert (_days(attempt), counts(attempt.warehouse).hours) == ([], 0)
    assert is_analysed(attempt.contract, attempt.warehouse, TOPIC_ID, {0: 0})
    assert not is_analysed(attempt.contract, attempt.warehouse, TOPIC_ID, {0: 1})
    land_values(attempt, 0, 0, _value(1, 0, 1))
    analyse(attempt)
    assert _days(attempt) == [(1, 1)]
    assert is_analysed(attempt.contract, attempt.warehouse, TOPIC_ID, {0: 1})


def test_only_touched_days_are_computed_again(
    analyse: Analyse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt = _attempt(tmp_path)
    land_values(attempt, 0, 0, _value(1, 0, 1), _value(2, 0, 2))
    analyse(attempt)
    assert _days(attempt) == [(1, 1), (2, 1)]
    assert "daily_completeness: 2 rows, all days, up to batch 0" in capsys.readouterr().out
    before = set(open_table(attempt.warehouse.table("daily_completeness")).file_uris())

    analyse(attempt)
    assert _versions(attempt, "daily_completeness") == _versions(attempt, "hourly_average") == 1

    land_values(attempt, 1, 2, _value(2, 10, 4), _value(3, 0, 5))
    analyse(attempt)
    assert _days(attempt) == [(1, 1), (2, 2), (3, 1)]
    assert "daily_completeness: 2 rows of 2 days, batches 1 to 1" in capsys.readouterr().out
    assert before != set(open_table(attempt.warehouse.table("daily_completeness")).file_uris())
    hours = scan(attempt.warehouse, "hourly_average").sort("signal_hour").select("Power__kW_", "readings")
    assert hours.collect().rows() == [(1.0, 1), (3.0, 2), (5.0, 1)]

    land_values(attempt, 2, 4, b"{")  # moves the position, adds no reading
    analyse(attempt)
    for table in ("daily_completeness", "hourly_average"):
        newest = newest_gold(attempt.warehouse, table)
        assert newest is not None
        assert (newest.metadata.batch, newest.rows) == (2, 0)
        assert newest.metadata.position == landed_position(attempt.warehouse, TOPIC_ID)
    assert _days(attempt) == [(1, 1), (2, 2), (3, 1)]


def test_another_analysis_computes_all_again_with_its_own_columns(analyse: Analyse, tmp_path: Path) -> None:
    attempt = _attempt(tmp_path)
    land_values(attempt, 0, 0, _value(1, 0, 1), _value(2, 0, 50))
    analyse(attempt)
    indicator = {"name": "band", "signal": "Power (kW)", "bands": {"Low": 20, "High": None}}
    other = _attempt(tmp_path, analysis={"indicator": indicator})
    analyse(other)
    hours = scan(other.warehouse, "hourly_average").sort("signal_hour").collect()
    assert list(hours["band"]) == ["Low", "High"]
    assert _versions(other, "daily_completeness") == 2


def test_an_open_batch_is_landed_first(analyse: Analyse, tmp_path: Path) -> None:
    attempt = _attempt(tmp_path)
    commit = attempt.batch_commit(0, TOPIC_ID, (OffsetRange(partition=0, start=0, until=1),))
    commit_batch(attempt.warehouse.table(READINGS), "small", commit, [])
    with pytest.raises(PositionBroken, match=r"batch 0 is open.*Run `land`"):
        analyse(attempt)
