"""What people and gates ask the tables: the one place where a number gets its meaning. Needs no JVM."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, ConfigDict

from headrace.offsets import reached
from headrace.tables.batches import newest_closing, open_batch, read_batches
from headrace.tables.commits import open_table
from headrace.tables.gold_commits import newest_gold
from headrace.tables.names import DAILY_COMPLETENESS, GOLD, HOURLY_AVERAGE, LEDGER, QUARANTINE, READINGS
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from headrace.contract.model import Contract


class Counts(BaseModel):
    """What a stream's tables hold."""

    model_config = ConfigDict(frozen=True)

    readings: int
    quarantine: dict[str, int]
    days: int
    complete_days: int
    hours: int
    batches: int


def scan(warehouse: Warehouse, table: str) -> pl.LazyFrame:
    """A table at its newest version, lazily."""
    # Not pl.scan_delta: polars 2.1.0 looks for `a%20b` where the warehouse's path has a blank, and with
    # use_pyarrow it counts 0 rows.
    return pl.scan_pyarrow_dataset(open_table(warehouse.table(table)).to_pyarrow_dataset())


def is_analysed(warehouse: Warehouse, topic_id: str, target: dict[int, int], analysis_sha256: str) -> bool:
    """Whether both gold tables have come to `target`, by the contract's present analysis."""
    newest = [newest_gold(warehouse, table) for table in GOLD]
    return all(
        commit is not None
        and (
            commit.metadata.topic_id == topic_id or not any(target.values())
        )  # an empty topic asks for nothing
        and commit.metadata.analysis_sha256 == analysis_sha256
        and reached(commit.metadata.position, target)
        for commit in newest
    )


def nothing_to_analyse(warehouse: Warehouse, analysis_sha256: str) -> bool:
    """Whether both gold tables have the newest batch in them, by the contract's present analysis."""
    newest = newest_closing(warehouse)
    if newest is None or open_batch(warehouse):
        return False
    wanted = (newest.batch, analysis_sha256)
    commits = [newest_gold(warehouse, table) for table in GOLD]
    return all(each and (each.metadata.batch, each.metadata.analysis_sha256) == wanted for each in commits)


def counts(warehouse: Warehouse) -> Counts:
    """What the stream's tables hold now; a table that is not there counts as empty."""
    return Counts(
        readings=_rows(warehouse, READINGS),
        quarantine=quarantine_reasons(warehouse),
        days=_rows(warehouse, DAILY_COMPLETENESS),
        complete_days=_rows(warehouse, DAILY_COMPLETENESS, pl.col("missing") == 0),
        hours=_rows(warehouse, HOURLY_AVERAGE),
        batches=sum(batch.kind == "batch" for batch in read_batches(warehouse)),
    )


def quarantine_reasons(warehouse: Warehouse) -> dict[str, int]:
    """Quarantined records by reason, the most frequent first."""
    if not warehouse.exists(QUARANTINE):
        return {}
    by_reason = (
        scan(warehouse, QUARANTINE).group_by("reason").len().sort("len", "reason", descending=[True, False])
    )
    return {str(row["reason"]): int(row["len"]) for row in by_reason.collect().to_dicts()}


def first_rows(
    contract: "Contract", warehouse: Warehouse, table: str, count: int = 5
) -> list[dict[str, Any]]:
    """The first rows of a table in the order of its time, times in the contract's zone."""
    order = {READINGS: "signal_ts", HOURLY_AVERAGE: "signal_hour", LEDGER: "finished"}
    frame = scan(warehouse, table)
    by = order.get(table, "signal_date")
    zone = contract.record.event_time.timezone
    instants = [name for name, kind in frame.collect_schema().items() if isinstance(kind, pl.Datetime)]
    return (
        frame.sort(by)
        .head(count)
        .with_columns(pl.col(instants).dt.convert_time_zone(zone))
        .collect()
        .to_dicts()
    )


class Completeness(BaseModel):
    """Slots of the cadence from a stream's first to its last day, absent days among them, of all entities."""

    model_config = ConfigDict(frozen=True)

    expected: int
    missing: int
    absent_days: int


def completeness(contract: "Contract", warehouse: Warehouse) -> Completeness | None:
    """How many slots are missing, also on days without any reading; None without cadence or readings."""
    cadence = contract.record.event_time
    if cadence.every is None or not _rows(warehouse, DAILY_COMPLETENESS):
        return None
    daily = (
        scan(warehouse, DAILY_COMPLETENESS).select("signal_date", "entity", "expected", "missing").collect()
    )
    days = daily.select(pl.date_ranges(pl.col("signal_date").min(), pl.col("signal_date").max())).to_series()[
        0
    ]
    zone = ZoneInfo(cadence.timezone)
    slots = {day: slots_of_day(day, zone, cadence.every) for day in days}
    absent = [
        slots[day]
        for entity in daily["entity"].unique()
        for day in slots.keys() - set(daily.filter(pl.col("entity").eq_missing(entity))["signal_date"])
    ]
    return Completeness(
        expected=int(daily["expected"].sum()) + sum(absent),
        missing=int(daily["missing"].sum()) + sum(absent),
        absent_days=len(absent),
    )


def slots_of_day(day: date, zone: ZoneInfo, every: timedelta) -> int:
    """How many slots the day really has there: 23 or 25 hours when clocks change."""
    start, end = (datetime.combine(each, time.min, zone) for each in (day, day + timedelta(days=1)))
    return int((end.astimezone(UTC) - start.astimezone(UTC)) / every)


def signals(warehouse: Warehouse, names: list[str | None]) -> pl.DataFrame:
    """The named signals of all readings as numbers, a column each; what is missing or no number is null."""
    columns = [
        pl.col("signals").map.get(name).cast(pl.Float64, strict=False).alias(name) for name in names if name
    ]
    return scan(warehouse, READINGS).select(columns).collect()


def hourly(warehouse: Warehouse, column: str, zone: str) -> pl.DataFrame:
    """`signal_hour` in that zone and one average of `hourly_average`."""
    frame = scan(warehouse, HOURLY_AVERAGE).select("signal_hour", column)
    return frame.with_columns(pl.col("signal_hour").dt.convert_time_zone(zone)).collect()


def _rows(warehouse: Warehouse, table: str, where: pl.Expr | None = None) -> int:
    if not warehouse.exists(table):
        return 0
    frame = scan(warehouse, table)
    return int((frame if where is None else frame.filter(where)).select(pl.len()).collect().item())
