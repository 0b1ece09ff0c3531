"""A day's change reads the files that hold the day, and no others: by Spark's own count of files read."""

from pathlib import Path

from pyspark.sql import SparkSession

from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.names import DAILY_COMPLETENESS
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse
from headrace_spark.gold import analyse
from testbed.landed_batches import land_values
from testbed.parse_cases import contract

DAYS = 30


def _value(day: int, minute: int) -> bytes:
    return f'{{"time": "{day:02} 06 2018 00:{minute:02}", "p": 1}}'.encode()


def test_files_between_touched_days_are_passed_over(spark: SparkSession, tmp_path: Path) -> None:
    attempt = Attempt(contract(), Warehouse(tmp_path, "small"), "a run")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    for day in range(1, DAYS + 1):  # a file a day
        land_values(attempt, day - 1, day - 1, _value(day, 0))
    assert _files_read(spark, attempt) == DAYS
    land_values(attempt, DAYS, DAYS, _value(3, 10), _value(28, 10), _value(29, 10))
    assert _files_read(spark, attempt) == 4  # those of 3, 28 and 29 June, and the new one
    counted = scan(attempt.warehouse, DAILY_COMPLETENESS).sort("signal_date").collect()
    assert list(counted["distinct_signal_ts"]) == [
        2 if day in (3, 28, 29) else 1 for day in range(1, DAYS + 1)
    ]


def _files_read(spark: SparkSession, attempt: Attempt) -> int:
    """Analyse, and count the files of `readings` that all queries of it have read."""
    before = {each.executionId() for each in _executions(spark)}
    analyse(spark, attempt)
    new = [each.executionId() for each in _executions(spark) if each.executionId() not in before]
    # What the log's files are read by is no scan of Parquet that has this column.
    return sum(_read_by(spark, number, "signal_ts") for number in new)


def _executions(spark: SparkSession) -> list[object]:
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    return _listed(_store(spark).executionsList())


def _read_by(spark: SparkSession, execution: int, column: str) -> int:
    values = _store(spark).executionMetrics(execution)
    read = 0
    for node in _listed(_store(spark).planGraph(execution).allNodes()):
        if node.name().startswith("Scan parquet") and column in node.desc():
            for metric in _listed(node.metrics()):
                if metric.name() == "number of files read":
                    read += int(values.get(metric.accumulatorId()).get())
    return read


def _store(spark: SparkSession) -> object:
    return spark._jsparkSession.sharedState().statusStore()


def _listed(sequence: object) -> list[object]:
    return [sequence.apply(at) for at in range(sequence.size())]
