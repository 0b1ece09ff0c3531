"""What people and gates ask the tables: the one place where a number gets its meaning. Needs no JVM."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, ConfigDict

from headrace.tables.active_files import active_files, count_rows, first_rows_until
from headrace.tables.commits import open_table
from headrace.tables.names import (
    BATCHES,
    DAILY_COMPLETENESS,
    HOURLY_AVERAGE,
    LEDGER,
    QUARANTINE,
    READINGS,
)
from headrace.tables.reading import dataset
from headrace.tables.sampling import sample
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from headrace.contract.model import Contract

SAMPLE = 60_000
"""Readings that a picture is made of: the eye sees no more, and the page stays small."""


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
    return pl.scan_pyarrow_dataset(dataset(warehouse.table(table)))


def counts(warehouse: Warehouse) -> Counts:
    """What the stream's tables hold now; a table that is not there counts as empty."""
    return Counts(
        readings=_rows(warehouse, READINGS),
        quarantine=quarantine_reasons(warehouse),
        days=_rows(warehouse, DAILY_COMPLETENESS),
        complete_days=_rows_by(warehouse, DAILY_COMPLETENESS, "missing").get(0, 0),
        hours=_rows(warehouse, HOURLY_AVERAGE),
        batches=_rows_by(warehouse, BATCHES, "kind").get("batch", 0),
    )


def quarantine_reasons(warehouse: Warehouse) -> dict[str, int]:
    """Quarantined records by reason, the most frequent first."""
    by_reason = {str(reason): rows for reason, rows in _rows_by(warehouse, QUARANTINE, "reason").items()}
    return dict(sorted(by_reason.items(), key=lambda each: (-each[1], each[0])))


def first_rows(
    contract: "Contract", warehouse: Warehouse, table: str, count: int = 5
) -> list[dict[str, Any]]:
    """The first rows of a table in the order of its time, times in the contract's zone."""
    by = {READINGS: "signal_ts", HOURLY_AVERAGE: "signal_hour", LEDGER: "finished"}.get(table, "signal_date")
    path = warehouse.table(table)
    until = first_rows_until(active_files(open_table(path), by), count)
    frame = pl.scan_pyarrow_dataset(dataset(path, where=None if until is None else [(by, "<=", until)]))
    # Two reads, the first of one column: whole rows are read of few files only, or of few parts of one.
    last = frame.select(pl.col(by).bottom_k(count).max()).collect().item()
    zone = contract.record.event_time.timezone
    instants = [name for name, kind in frame.collect_schema().items() if isinstance(kind, pl.Datetime)]
    return (
        frame.filter(pl.col(by) <= last)
        .sort(by)
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


def signals(warehouse: Warehouse, names: list[str], most: int = SAMPLE) -> pl.DataFrame:
    """The named signals as numbers, a column each, of all readings or of `most`, evenly spread over them.

    What is missing or no number is null.
    """
    columns = [pl.col("signals").map.get(name).cast(pl.Float64, strict=False).alias(name) for name in names]
    opened = open_table(warehouse.table(READINGS))
    files = active_files(opened)
    if files is None or sum(file.rows for file in files) <= most:
        return scan(warehouse, READINGS).select(columns).collect()
    parts = sample(warehouse.table(READINGS), files, "signals", most)
    return pl.concat(pl.DataFrame(part).select(columns) for part in parts)


def hourly(warehouse: Warehouse, column: str, zone: str, since: date) -> pl.DataFrame:
    """`signal_hour` in that zone and one average of `hourly_average`, from that day on."""
    hour = pl.col("signal_hour")
    # In UTC: polars 2.1.0 hands an instant of another zone to pyarrow as if it were one of UTC.
    midnight = datetime.combine(since, time.min, ZoneInfo(zone)).astimezone(UTC)
    frame = scan(warehouse, HOURLY_AVERAGE).filter(hour >= midnight)
    return frame.select(hour.dt.convert_time_zone(zone), column).collect()


def _rows(warehouse: Warehouse, table: str) -> int:
    return count_rows(open_table(warehouse.table(table))) if warehouse.exists(table) else 0


def _rows_by(warehouse: Warehouse, table: str, column: str) -> Counter[Any]:
    """How many rows have each value of a column; of files with one value the log says it."""
    if not warehouse.exists(table):
        return Counter()
    opened = open_table(warehouse.table(table))
    files = active_files(opened, column)
    if files is None:
        return _counted(pl.DataFrame(opened.scan(columns=[column])).lazy(), column)
    said: Counter[Any] = Counter()
    for file in files:
        if file.one_value:
            said[file.least] += file.rows
    mixed = [warehouse.table(table) / file.path for file in files if file.rows and not file.one_value]
    return said + _counted(pl.scan_parquet(mixed, glob=False), column) if mixed else said


def _counted(frame: pl.LazyFrame, column: str) -> Counter[Any]:
    return Counter(dict(frame.group_by(column).len().collect().iter_rows()))
