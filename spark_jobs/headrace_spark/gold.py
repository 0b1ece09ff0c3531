"""The stage `analyse`: the gold tables brought up to the last batch, only the days that it touched."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.batches import open_batch, position_of, read_batches
from headrace.commits import Commit, GoldCommit, application_id, open_table
from headrace.crash import crash_point
from headrace.errors import ForeignCommit, PositionBroken, WarehouseError
from headrace.gold_columns import column_comments
from headrace.queries import gold_commit
from headrace_spark.land_batch import Try
from headrace_spark.tables import READINGS, read_table
from headrace_spark.transforms import column, daily_completeness, hourly_average

DAILY, HOURLY = "daily_completeness", "hourly_average"

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


def analyse(this: Try) -> None:
    """Bring both gold tables up to the last closed batch; the caller holds the stream's lock.

    Raises:
        WarehouseError: `land` has not run yet.
        PositionBroken: a batch is open.
        ForeignCommit: another process wrote to a gold table.
    """
    target = _target(this)
    readings = read_table(this.spark, this.warehouse.table(READINGS), target.readings_version)
    contract = this.contract
    mapping = _mapping(this)
    tables = (
        GoldTable(DAILY, lambda of: daily_completeness(of, contract.record.event_time), DAILY_COMMENTS),
        GoldTable(HOURLY, lambda of: hourly_average(of, mapping, contract), column_comments(contract)),
    )
    for table in tables:
        bring_up(this, table, readings, target)
        crash_point("analyse.between_tables")


def _target(this: Try) -> GoldCommit:
    """What every gold table is to be computed from."""
    broken = open_batch(this.warehouse)
    if broken:
        raise PositionBroken(
            f"stream {this.contract.stream}: batch {broken.batch} is open: a landing was broken off. "
            "Run `land`, which finishes it, and then this."
        )
    if not this.warehouse.exists(READINGS):
        raise WarehouseError(f"stream {this.contract.stream}: `land` has not run yet; run it first")
    rows = read_batches(this.warehouse)
    # Without a batch (nobody has written to the topic yet) the gold tables are made all the same, empty.
    topic_id = rows[-1].topic_id if rows else ""
    return GoldCommit(
        run_id=this.run_id,
        try_id=this.try_id,
        batch=rows[-1].batch if rows else -1,
        topic_id=topic_id,
        position=position_of(this.warehouse, rows, topic_id),
        readings_version=open_table(this.warehouse.table(READINGS)).version(),
        analysis_sha256=this.contract.analysis_sha256,
    )


def _mapping(this: Try) -> DataFrame:
    """The list of signal names as its file has it; empty where the contract names none."""
    schema = "sig_name STRING, sig_mapping_name STRING"
    file = this.contract.analysis.signal_names_file
    if file is None:
        return this.spark.createDataFrame([], schema)
    text = this.spark.createDataFrame([(file.read_text("utf-8-sig"),)], "text STRING")
    return text.select(
        F.inline(F.from_json("text", f"ARRAY<STRUCT<{schema.replace(' STRING', ': STRING')}>>"))
    )


def bring_up(this: Try, table: GoldTable, readings: DataFrame, target: GoldCommit) -> None:
    """Bring one gold table to `target`: the touched days, or all of them when the analysis is another."""
    newest = gold_commit(this.warehouse, table.name)
    done = newest.metadata if newest else None
    if done and (done.batch, done.analysis_sha256) == (target.batch, target.analysis_sha256):
        say(f"{table.name}: batch {done.batch} is in it already, nothing to do")
        return
    if done is None or done.analysis_sha256 != target.analysis_sha256 or done.batch > target.batch:
        own = _commit(this, table, table.compute(readings), target, overwriteSchema="true")
        say(f"{table.name}: {own.rows} rows, all days, up to batch {target.batch}")
        return
    days = _touched(readings, done.batch)
    recomputed = table.compute(readings.where(_where(days)))
    own = _commit(this, table, recomputed, target, replaceWhere=_where(days))
    say(f"{table.name}: {own.rows} rows of {len(days)} days, batches {done.batch + 1} to {target.batch}")


def _touched(readings: DataFrame, batch: int) -> list[str]:
    """The days with readings of later batches, as texts: Spark has years that Python has not."""
    day = F.col("signal_date").cast("string").alias("day")
    rows = readings.where(F.col("provenance.batch") > batch).select(day).distinct().collect()
    return sorted(row.day for row in rows)


def _where(days: list[str]) -> str:
    listed = ", ".join(f"DATE'{day}'" for day in days)
    return f"signal_date IN ({listed})" if days else "false"


def _commit(
    this: Try, table: GoldTable, rows: DataFrame, target: GoldCommit, **how: str
) -> Commit[GoldCommit]:
    path = this.warehouse.table(table.name)
    described = [
        column(name).alias(name, metadata={"comment": text}) for name, text in table.comments.items()
    ]
    (
        rows.select(*described)
        .coalesce(1)
        .write.format("delta")
        .mode("overwrite")
        .options(**how)
        # Delta makes no commit of a write that changes nothing, unless it carries a version of its own.
        .option("txnAppId", f"{application_id(this.warehouse.stream)}:{table.name}")
        .option("txnVersion", open_table(path).version() + 1 if this.warehouse.exists(table.name) else 0)
        .option("userMetadata", target.model_dump_json())
        .save(str(path))
    )
    own = gold_commit(this.warehouse, table.name)
    if own is None or own.metadata != target:
        raise ForeignCommit(f"{path}: another process wrote to it at the same time; run the task again")
    return own


def say(line: str) -> None:
    """A line for the person who reads the task's log, at once."""
    print(line, flush=True)  # noqa: T201  # a driver's standard output is the task log
