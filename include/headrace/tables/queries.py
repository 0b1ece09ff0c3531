"""What people and gates ask the tables: the one place where a number gets its meaning. Needs no JVM."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, ConfigDict

from headrace.contract.number_form import PLAIN
from headrace.errors import ContractError
from headrace.numeric import number
from headrace.tables.active_files import (
    ActiveFile,
    active_files,
    count_rows,
    first_rows_until,
    last_rows_from,
)
from headrace.tables.commits import open_table
from headrace.tables.names import (
    BATCHES,
    DAILY_COMPLETENESS,
    HOURLY_AVERAGE,
    LEDGER,
    QUARANTINE,
    READINGS,
)
from headrace.tables.reading import dataset, of_files
from headrace.tables.sampling import sample
from headrace.tables.typed_columns import MAP, OTHERS
from headrace.tables.warehouse import Warehouse
from headrace.zones import slots_of_days

if TYPE_CHECKING:
    from headrace.contract.model import Contract
    from headrace.contract.record import Record

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


def signals(
    warehouse: Warehouse, names: list[str], most: int = SAMPLE, *, record: "Record | None" = None
) -> pl.DataFrame:
    """The named signals as numbers, a column each, of all readings or of `most`, evenly spread over them.

    What is missing or no number is null. `record` says how numbers are written; without it they are JSON's.
    """
    opened = open_table(warehouse.table(READINGS))
    there = [field.name for field in opened.schema().fields]
    values = _values(names, record, there)
    files = active_files(opened)
    if files is None or sum(file.rows for file in files) <= most:
        return scan(warehouse, READINGS).select(values).collect()
    read = [MAP] if MAP in there else ["signal_ts", *_own_columns(record, there).values()]
    parts = sample(warehouse.table(READINGS), files, read, most)
    return pl.concat(_with_columns(pl.DataFrame(part), read).select(values) for part in parts)


def _values(names: list[str], record: "Record | None", there: list[str]) -> list[pl.Expr]:
    """Each signal as a number, out of the map or of its own column; null where that is not there."""
    if MAP in there:
        forms = {signal.name: record.number_form(signal) for signal in record.signals} if record else {}
        return [number(pl.col(MAP).map.get(name), forms.get(name, PLAIN)).alias(name) for name in names]
    own = _own_columns(record, there)
    values = (
        pl.col(own[name]).cast(pl.Float64) if name in own else pl.lit(None, pl.Float64) for name in names
    )
    return [value.alias(name) for name, value in zip(names, values, strict=True)]


def _own_columns(record: "Record | None", there: list[str]) -> dict[str, str]:
    signals = record.signals if record else ()
    return {
        each.name: each.typed_column for each in signals if each.is_numeric and each.typed_column in there
    }


def _with_columns(part: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The part, whose file may be older than some of the columns."""
    return part.with_columns(pl.lit(None).alias(name) for name in columns if name not in part.columns)


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
