"""What people and gates ask the tables: the one place where a number gets its meaning. Needs no JVM."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from headrace.offsets import reached
from headrace.tables.batches import newest_closing, open_batch, read_batches
from headrace.tables.commits import open_table
from headrace.tables.gold_commits import newest_gold
from headrace.tables.names import DAILY_COMPLETENESS, GOLD, HOURLY_AVERAGE, LEDGER, QUARANTINE, READINGS
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
    days = pl.date_range(first, last, eager=True).alias("signal_date")
    slots = pl.DataFrame({"signal_date": days, "slots": slots_of_days(days, cadence.timezone, cadence.every)})
    present = inside.join(slots, "signal_date")["slots"]
    entities = inside["entity"].n_unique()
    absent = entities * int(slots["slots"].sum()) - int(present.sum())
    return Completeness(
        expected=int(inside["expected"].sum()) + absent,
        missing=int(inside["missing"].sum()) + absent,
        absent_days=entities * int((slots["slots"] > 0).sum()) - int((present > 0).sum()),
        first=first,
        last=last,
        outside=int(daily["distinct_signal_ts"].sum()) - int(inside["distinct_signal_ts"].sum()),
        outside_days=daily["signal_date"].n_unique() - inside["signal_date"].n_unique(),
    )


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
