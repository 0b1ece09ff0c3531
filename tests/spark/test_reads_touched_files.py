"""A day's change reads the files that hold the day, and no others: by Spark's own count of files read."""

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.names import DAILY_COMPLETENESS
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse
from headrace_spark.gold import analyse
from testbed.landed_batches import land_values
from testbed.parse_cases import contract

DAYS = 12


def _value(day: int, minute: int) -> bytes:
    return f'{{"time": "{day:02} 06 2018 00:{minute:02}", "p": 1}}'.encode()


def test_files_between_touched_days_are_passed_over(spark: SparkSession, tmp_path: Path) -> None:
    attempt = Attempt(contract(), Warehouse(tmp_path, "small"), "a run")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    for day in range(1, DAYS + 1):  # a file a day
        land_values(attempt, day - 1, day - 1, _value(day, 0))
    assert _files_read(spark, attempt) == {"times": DAYS, "signals": DAYS}
    land_values(attempt, DAYS, DAYS, _value(3, 10), _value(10, 10), _value(11, 10))
    assert _files_read(spark, attempt) == {
        "times": 4,
        "signals": 4,
    }  # those of 3, 10 and 11 June, and the new one
    counted = scan(attempt.warehouse, DAILY_COMPLETENESS).sort("signal_date").collect()
    assert list(counted["distinct_signal_ts"]) == [
        2 if day in (3, 10, 11) else 1 for day in range(1, DAYS + 1)
    ]


def _files_read(spark: SparkSession, attempt: Attempt) -> dict[str, int]:
    """Analyse, and count the files of `readings` that were read for times alone, and for signals too."""
    before = {each.executionId() for each in _executions(spark)}
    analyse(spark, attempt)
    read = {"times": 0, "signals": 0}
    for number in [each.executionId() for each in _executions(spark) if each.executionId() not in before]:
        values = _store(spark).executionMetrics(number)
        for scan_node in _scans_of_readings(spark, number):
            (files,) = [
                each for each in _listed(scan_node.metrics()) if each.name() == "number of files read"
            ]
            read["signals" if "signals" in scan_node.desc() else "times"] += int(
                values.get(files.accumulatorId()).get()
            )
    return read


def _executions(spark: SparkSession) -> list[Any]:
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    return _listed(_store(spark).executionsList())


def _scans_of_readings(spark: SparkSession, execution: int) -> list[Any]:
    """What reads Parquet with this column; the files of the log have none of the name."""
    nodes = _listed(_store(spark).planGraph(execution).allNodes())
    return [each for each in nodes if each.name().startswith("Scan parquet") and "signal_ts" in each.desc()]


def _store(spark: SparkSession) -> Any:
    return spark._jsparkSession.sharedState().statusStore()


def _listed(sequence: Any) -> list[Any]:
    return [sequence.apply(at) for at in range(sequence.size())]
