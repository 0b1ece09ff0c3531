"""What people and gates ask the tables: the one place where a number gets its meaning. Needs no JVM."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, ConfigDict

from headrace.errors import ContractError
from headrace.tables.active_files import (
    ActiveFile,
    active_files,
    count_rows,
    first_rows_until,
    last_rows_from,
)
from headrace.tables.commits import open_table
from headrace.tables.gold_columns import averages_table, start_column
from headrace.tables.names import (
    BATCHES,
    DAILY_COMPLETENESS,
    HOURLY_AVERAGE,
    LEDGER,
    QUARANTINE,
    READINGS,
)
from headrace.tables.reading import dataset, of_files
from headrace.tables.typed_columns import MAP, OTHERS
from headrace.tables.warehouse import Warehouse
from headrace.zones import slots_of_days

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
    return pl.scan_pyarrow_dataset(dataset(warehouse.table(table)))


def landed_by(warehouse: Warehouse, table: str, batches: Sequence[int]) -> pl.LazyFrame:
    """The rows that those batches landed, lazily; of the files alone that can hold them."""
    path = warehouse.table(table)
    opened = open_table(path)
    whole, files = dataset(path, opened), active_files(opened, "provenance.batch")
    if files is not None:
        whole = of_files(whole, {file.path for file in files if _may_hold(file, batches)})
    return pl.scan_pyarrow_dataset(whole).filter(pl.col("provenance").struct.field("batch").is_in(batches))


def _may_hold(file: ActiveFile, values: Sequence[int]) -> bool:
    return file.least is None or any(file.least <= each <= file.most for each in values)


def counts(warehouse: Warehouse, averages: str = HOURLY_AVERAGE) -> Counts:
    """What the stream's tables hold now; a table that is not there counts as empty.

    `averages`: the table whose rows are the hours, or whatever the contract's analysis is of.
    """
    return Counts(
        readings=_rows(warehouse, READINGS),
        quarantine=quarantine_reasons(warehouse),
        days=_rows(warehouse, DAILY_COMPLETENESS),
        complete_days=_rows_by(warehouse, DAILY_COMPLETENESS, "missing").get(0, 0),
        hours=_rows(warehouse, averages),
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
    own = {READINGS: "signal_ts", LEDGER: "finished", averages_table(contract): start_column(contract)}
    by = own.get(table, "signal_date")
    path = warehouse.table(table)
    until = first_rows_until(active_files(open_table(path), by), count)
    frame = pl.scan_pyarrow_dataset(dataset(path, where=None if until is None else [(by, "<=", until)]))
    # Two reads, the first of one column: whole rows are read of few files only, or of few parts of one.
    last = frame.select(pl.col(by).bottom_k(count).max()).collect().item()
    found = frame.filter(pl.col(by) <= last).sort(by).head(count)
    return _in_zone(found, contract.record.event_time.timezone)


def last_readings(contract: "Contract", warehouse: Warehouse, count: int = 5) -> list[dict[str, Any]]:
    """Time, entity and signals of the last readings, the newest first, times in the contract's zone."""
    path, time = warehouse.table(READINGS), pl.col("signal_ts")
    if not warehouse.exists(READINGS) or not count_rows(open_table(path)):
        return []
    since = last_rows_from(active_files(open_table(path), "signal_ts"), count)
    where = None if since is None else [("signal_ts", ">=", since)]
    whole = pl.scan_pyarrow_dataset(dataset(path, where=where))
    frame = whole.select("signal_ts", "entity", *_shown(contract, whole))
    first = frame.select(time.top_k(count).min()).collect().item()  # as in `first_rows`
    found = frame.filter(time >= first).sort("signal_ts", descending=True).head(count)
    return _in_zone(found, contract.record.event_time.timezone)


def _shown(contract: "Contract", readings: pl.LazyFrame) -> list[str]:
    """The columns of readings that hold signals."""
    names = readings.collect_schema().names()
    if MAP in names:
        return [MAP]
    own = [each.typed_column for each in contract.record.signals]
    return [*(name for name in own if name in names), OTHERS]


def _in_zone(frame: pl.LazyFrame, zone: str) -> list[dict[str, Any]]:
    """The rows, instants as the zone's clock showed them."""
    instants = [name for name, kind in frame.collect_schema().items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(instants).dt.convert_time_zone(zone)).collect().to_dicts()


class Completeness(BaseModel):
    """Slots of the cadence from a stream's first to its last day, absent days among them, of all entities.

    `outside`: distinct times of `outside_days` that `apart` sets aside; they count for nothing else.
    """

    model_config = ConfigDict(frozen=True)

    expected: int
    missing: int
    absent_days: int
    first: date
    last: date
    outside: int
    outside_days: int

    def remark(self) -> str:
        """What lies outside, in a sentence; empty where nothing does."""
        if not self.outside_days:
            return ""
        return (
            f"{self.outside:,} readings of {self.outside_days:,} days lie outside {self.first} to "
            f"{self.last}, over a year from all others; is a clock wrong?"
        )


def completeness(contract: "Contract", warehouse: Warehouse) -> Completeness | None:
    """How many slots have no reading, also on days without any; None without cadence or readings."""
    cadence = contract.record.event_time
    if cadence.every is None or not _rows(warehouse, DAILY_COMPLETENESS):
        return None
    daily = scan(warehouse, DAILY_COMPLETENESS).collect()
    first, last = apart(daily)
    inside = daily.filter(pl.col("signal_date").is_between(first, last))
    slots = _slots(contract, first, last)
    entities = inside["entity"].n_unique()
    absent = _absent(inside, slots)
    return Completeness(
        expected=int(inside["expected"].sum()) + absent,
        missing=int(inside["missing"].sum()) + absent,
        absent_days=entities * int((slots["slots"] > 0).sum())
        - int((inside.join(slots, "signal_date")["slots"] > 0).sum()),
        first=first,
        last=last,
        outside=int(daily["distinct_signal_ts"].sum()) - int(inside["distinct_signal_ts"].sum()),
        outside_days=daily["signal_date"].n_unique() - inside["signal_date"].n_unique(),
    )


def missing_slots(contract: "Contract", warehouse: Warehouse, first: date, last: date) -> int:
    """How many slots of those days have no reading, of all entities that have one there; `last` counts.

    Raises:
        ContractError: the contract has no cadence.
    """
    slots = _slots(contract, first, last)
    days = pl.col("signal_date").is_between(first, last)
    daily = scan(warehouse, DAILY_COMPLETENESS).filter(days).collect()
    if daily.is_empty():
        return int(slots["slots"].sum())
    return int(daily["missing"].sum()) + _absent(daily, slots)


def newest_readings(warehouse: Warehouse) -> dict[str | None, datetime]:
    """Each entity's newest analysed event time; a stream without entities has the one None."""
    if not warehouse.exists(DAILY_COMPLETENESS):
        return {}
    daily = scan(warehouse, DAILY_COMPLETENESS)
    newest = daily.group_by("entity").agg(pl.col("last").max()).collect()
    return dict(newest.iter_rows())


def complete_through(warehouse: Warehouse) -> datetime | None:
    """Up to where every entity has analysed readings; None where none has any."""
    return min(newest_readings(warehouse).values(), default=None)


def _slots(contract: "Contract", first: date, last: date) -> pl.DataFrame:
    """The slots of each of those days."""
    cadence = contract.record.event_time
    if cadence.every is None:
        raise ContractError(
            f"stream {contract.stream} has no cadence, so no slot can be missing: "
            "give it record.event_time.every"
        )
    days = pl.date_range(first, last, eager=True).alias("signal_date")
    return pl.DataFrame({"signal_date": days, "slots": slots_of_days(days, cadence.timezone, cadence.every)})


def _absent(inside: pl.DataFrame, slots: pl.DataFrame) -> int:
    """The slots of the days on which an entity has no reading at all."""
    present = int(inside.join(slots, "signal_date")["slots"].sum())
    return inside["entity"].n_unique() * int(slots["slots"].sum()) - present


FAR = timedelta(days=366)
FEW = 0.01


def apart(daily: pl.DataFrame) -> tuple[date, date]:
    """First and last day, but for the days at either end that are wrong clocks' by all that one can see.

    Those are over a year from all others, and have less than a hundredth of the readings. One reading of the
    year 2000 would make 120 million slots of a second missing.
    """
    days = daily.group_by("signal_date").agg(pl.col("distinct_signal_ts").sum()).sort("signal_date")
    far = days["signal_date"].diff() > FAR
    share = days["distinct_signal_ts"] / days["distinct_signal_ts"].sum()
    before = share.cum_sum().shift(1)
    begins = days.filter(far & (before < FEW))["signal_date"]
    ends = days.filter(far & (1 - before < FEW))["signal_date"]
    first = begins[-1] if len(begins) else days["signal_date"][0]
    inside = days["signal_date"].filter(days["signal_date"] < ends[0]) if len(ends) else days["signal_date"]
    return first, inside[-1]


def averages(contract: "Contract", warehouse: Warehouse, column: str, since: date) -> pl.DataFrame:
    """`signal_hour`, when an average's hour or slot begins in the contract's zone, and one average."""
    zone, hour = contract.record.event_time.timezone, pl.col(start_column(contract))
    # In UTC: polars 2.1.0 hands an instant of another zone to pyarrow as if it were one of UTC.
    midnight = datetime.combine(since, time.min, ZoneInfo(zone)).astimezone(UTC)
    frame = scan(warehouse, averages_table(contract)).filter(hour >= midnight)
    return frame.select(hour.dt.convert_time_zone(zone).alias("signal_hour"), column).collect()


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
