"""The stage `analyse`: the gold tables brought up to the last batch, only the days that it touched."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.contract.model import Contract
from headrace.crash_points import crash_point
from headrace.errors import PositionBroken, WarehouseError
from headrace.tables.attempt import Attempt
from headrace.tables.batches import open_batch, position_after, read_batches
from headrace.tables.commits import GoldCommit, open_table
from headrace.tables.gold_columns import column_comments
from headrace.tables.gold_commits import commit_gold, newest_gold
from headrace.tables.names import DAILY_COMPLETENESS, HOURLY_AVERAGE, READINGS
from headrace.task_log import say
from headrace_spark.readings import read_readings
from headrace_spark.transforms import daily_completeness, hourly_average

DAILY_COMMENTS = {
    "signal_date": "day in the contract's zone",
    "entity": "the device, where the contract names a field for it",
    "distinct_signal_ts": "distinct times of the day's readings",
    "expected": "times that the day holds by the contract's cadence and the zone's clock",
    "missing": "expected but not there",
    "first": "first time of the day",
    "last": "last time of the day",
}


@dataclass(frozen=True)
class GoldTable:
    """A gold table: how it follows from readings, and what its columns hold."""

    name: str
    compute: Callable[[DataFrame], DataFrame]
    comments: dict[str, str]

    def rows(self, readings: DataFrame) -> pa.Table:
        """Its rows as they follow from these readings, in the order of its columns."""
        computed = self.compute(readings).toArrow()
        fields = [
            pa.field(name, _in_utc(computed.schema.field(name).type), metadata={"comment": text})
            for name, text in self.comments.items()
        ]
        return computed.select(list(self.comments)).cast(pa.schema(fields))


def _in_utc(kind: pa.DataType) -> pa.DataType:
    """An instant is one, whatever zone the session shows it in."""
    return pa.timestamp("us", tz="UTC") if pa.types.is_timestamp(kind) else kind


def analyse(spark: SparkSession, attempt: Attempt) -> None:
    """Bring both gold tables up to the last closed batch; the caller holds the stream's lock.

    Raises:
        WarehouseError: `land` has not run yet.
        PositionBroken: a batch is open.
        ForeignCommit: another process wrote to a gold table.
    """
    goal = _input_of(attempt)
    readings = read_readings(spark, attempt.warehouse, goal.readings_version)
    contract = attempt.contract
    mapping = _mapping(spark, attempt.contract)
    tables = (
        GoldTable(
            DAILY_COMPLETENESS, lambda of: daily_completeness(of, contract.record.event_time), DAILY_COMMENTS
        ),
        GoldTable(
            HOURLY_AVERAGE, lambda of: hourly_average(of, mapping, contract), column_comments(contract)
        ),
    )
    for table in tables:
        bring_up(attempt, table, readings, goal)
        crash_point("analyse.between_tables")


def _input_of(attempt: Attempt) -> GoldCommit:
    """What every gold table is to be computed from."""
    broken = open_batch(attempt.warehouse)
    if broken:
        raise PositionBroken(
            f"stream {attempt.contract.stream}: batch {broken.batch} is open: a landing was broken off. "
            "Run `land`, which finishes it, and then `analyse`."
        )
    if not attempt.warehouse.exists(READINGS):
        raise WarehouseError(f"stream {attempt.contract.stream}: `land` has not run yet; run it first")
    rows = read_batches(attempt.warehouse)
    # Without a batch (nobody has written to the topic yet) the gold tables are made all the same, empty.
    topic_id = rows[-1].topic_id if rows else ""
    return GoldCommit(
        run_id=attempt.run_id,
        try_id=attempt.try_id,
        batch=rows[-1].batch if rows else -1,
        topic_id=topic_id,
        position=position_after(attempt.warehouse, rows, topic_id),
        readings_version=open_table(attempt.warehouse.table(READINGS)).version(),
        analysis_sha256=attempt.contract.analysis_sha256,
    )


def _mapping(spark: SparkSession, contract: Contract) -> DataFrame:
    """The list of signal names as its file has it; empty where the contract names none."""
    schema = "sig_name STRING, sig_mapping_name STRING"
    written = contract.analysis.signal_names_text
    if written is None:
        return spark.createDataFrame([], schema)
    text = spark.createDataFrame([(written,)], "text STRING")
    return text.select(
        F.inline(F.from_json("text", f"ARRAY<STRUCT<{schema.replace(' STRING', ': STRING')}>>"))
    )


def bring_up(attempt: Attempt, table: GoldTable, readings: DataFrame, goal: GoldCommit) -> None:
    """Bring one gold table to `goal`: the touched days, or all of them when the analysis is another."""
    newest = newest_gold(attempt.warehouse, table.name)
    done = newest.metadata if newest else None
    if done and (done.batch, done.analysis_sha256) == (goal.batch, goal.analysis_sha256):
        say(f"{table.name}: batch {done.batch} is in it already, nothing to do")
        return
    if done is None or done.analysis_sha256 != goal.analysis_sha256 or done.batch > goal.batch:
        rows = table.rows(readings)
        commit_gold(attempt.warehouse, table.name, rows, goal, days=None)
        say(f"{table.name}: {rows.num_rows} rows, all days, up to batch {goal.batch}")
        return
    days = _touched(readings, done.batch)
    rows = table.rows(readings.where(F.col("signal_date").isin(days)))
    commit_gold(attempt.warehouse, table.name, rows, goal, days)
    say(f"{table.name}: {rows.num_rows} rows of {len(days)} days, batches {done.batch + 1} to {goal.batch}")


def _touched(readings: DataFrame, batch: int) -> list[date]:
    """The days with readings of later batches."""
    rows = readings.where(F.col("provenance.batch") > batch).select("signal_date").distinct().collect()
    return sorted(row.signal_date for row in rows)
