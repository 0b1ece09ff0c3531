"""The analysis as functions of polars' frames: no reading, no writing, no clock.

What Spark's transforms (`headrace_spark.transforms`) make of the same readings is the same:
tests/spark/test_engines_agree.py. Readings may come in pieces: what is made of each can be added up.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import polars as pl

from headrace.contract.model import Contract
from headrace.contract.record import EventTime, Signal
from headrace.numeric import number
from headrace.tables.gold_columns import HOUR as HOURS
from headrace.tables.gold_columns import aggregated, numeric, start_column
from headrace.zones import day_begins, hour_begins, slot_begins, slots_of_days

HOUR = ["signal_date", "signal_hour", "entity"]


def columns_read(contract: Contract) -> list[str]:
    """The columns of `readings` that the analysis is made of."""
    typed = contract.landing.columns == "typed"
    signals = [each.typed_column for each in numeric(contract)] if typed else ["signals"]
    return ["signal_date", "signal_ts", "entity", *signals]


def value_of(signal: Signal, contract: Contract) -> pl.Expr:
    """A numeric signal's value in `readings`, as a double; null where there is none."""
    if contract.landing.columns == "typed":
        return pl.col(signal.typed_column).cast(pl.Float64)
    return number(pl.col("signals").map.get(pl.lit(signal.name)), contract.record.number_form(signal))


def sums(readings: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """A row an hour (and entity): how many readings, their distinct `times`, and each signal's sums.

    A signal's columns are numbered: a name out of a contract could be a pattern to polars (`^.*$`).
    """
    signals, asked = numeric(contract), _asked(contract)
    values = [value_of(signal, contract) for signal in signals]
    return (
        readings.with_columns(
            _begins(readings["signal_ts"], contract).alias("signal_hour"),
            *(value.alias(f"value {at}") for at, value in enumerate(values)),
        )
        .group_by(HOUR)
        .agg(
            pl.len().cast(pl.Int64).alias("readings"),
            pl.col("signal_ts").unique().alias("times"),
            *(part for at, signal in enumerate(signals) for part in _sums_of(at, asked[signal.name])),
        )
    )


def _begins(instants: pl.Series, contract: Contract) -> pl.Series:
    zone, every = contract.record.event_time.timezone, contract.analysis.every
    return hour_begins(instants, zone) if every == HOURS else slot_begins(instants, zone, every)


def _asked(contract: Contract) -> dict[str, set[str]]:
    """What is made of each signal."""
    asked: dict[str, set[str]] = {signal.name: set() for signal in numeric(contract)}
    for _, signal, aggregate in aggregated(contract):
        asked[signal.name].add(aggregate)
    return asked


def _sums_of(at: int, asked: set[str]) -> Iterator[pl.Expr]:
    """What of a piece's values all that is asked can be made of, whatever the pieces."""
    value, time = pl.col(f"value {at}"), pl.col("signal_ts")
    yield value.sum().alias(f"sum {at}")
    yield value.count().cast(pl.Int64).alias(f"count {at}")
    if "circular_mean" in asked:
        angle = value.radians()
        yield angle.sin().sum().alias(f"sin {at}")
        yield angle.cos().sum().alias(f"cos {at}")
    if "min" in asked:
        yield value.min().alias(f"min {at}")
    if "max" in asked:
        yield value.max().alias(f"max {at}")
    if "last" in asked:
        known = time.filter(value.is_not_null()).max()
        yield known.alias(f"newest {at}")
        yield value.filter(time == known).max().alias(f"last {at}")
    if any(each.startswith("p") for each in asked):
        yield value.drop_nulls().alias(f"values {at}")


def added(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The sums of readings that came in several pieces."""
    if len(parts) == 1:
        return parts[0]
    names = [name for name in parts[0].columns if name not in (*HOUR, "times")]
    return (
        pl.concat(parts)
        .group_by(HOUR)
        .agg(pl.col("times").explode().unique(), *(_added(each) for each in names))
    )


def _added(name: str) -> pl.Expr:
    kind, _, at = name.partition(" ")
    column = pl.col(name)
    match kind:
        case "min":
            return column.min()
        case "max" | "newest":
            return column.max()
        case "last":
            newest = pl.col(f"newest {at}")
            return column.filter(newest == newest.max()).max()
        case "values":
            return column.explode().drop_nulls()
        case _:
            return column.sum()


def daily_completeness(hours: pl.DataFrame, event_time: EventTime) -> pl.DataFrame:
    """How many distinct times each day (and entity) has, and how many of its slots have none.

    Columns: `signal_date`, `entity`, `distinct_signal_ts`, `expected` and `missing` (null without a cadence),
    `first`, `last`. `hours`: sums of whole days.
    """
    times = hours.select("signal_date", "entity", pl.col("times").alias("at")).explode("at")
    days = times["signal_date"].unique()
    known = pl.DataFrame({"signal_date": days, "begins": day_begins(days, event_time.timezone)}).with_columns(
        _expected(days, event_time)
    )
    slot = _slot(event_time.every) if event_time.every else pl.lit(None, pl.Int64)
    filled = slot.filter(slot.is_between(0, pl.col("expected") - 1)).n_unique().cast(pl.Int64)
    return (
        times.join(known, "signal_date")
        .group_by("signal_date", "entity")
        .agg(
            pl.len().cast(pl.Int64).alias("distinct_signal_ts"),
            pl.col("expected").first(),
            (pl.col("expected").first() - filled).alias("missing"),
            pl.col("at").min().alias("first"),
            pl.col("at").max().alias("last"),
        )
    )


def _expected(days: pl.Series, event_time: EventTime) -> pl.Series:
    if event_time.every is None:
        return pl.Series("expected", [None] * len(days), pl.Int64)
    return slots_of_days(days, event_time.timezone, event_time.every).alias("expected")


def _slot(every: timedelta) -> pl.Expr:
    """The slot [start, start + every) of its day in which a time lies, counted from the day's beginning."""
    after = (pl.col("at") - pl.col("begins")).dt.total_microseconds()
    return after.floordiv(every // timedelta(microseconds=1))


def averages(hours: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """One row per hour (and entity): each signal's aggregates by its mapped name, indicators, readings.

    A direction's circular mean is in degrees.
    """
    places = {signal.name: at for at, signal in enumerate(numeric(contract))}
    columns = [
        _aggregate(places[signal.name], aggregate).alias(column)
        for column, signal, aggregate in aggregated(contract)
    ]
    bands = [
        band(_aggregate(places[each.signal], "mean"), each.bands).alias(each.name)
        for each in contract.analysis.indicator
    ]
    start = pl.col("signal_hour").alias(start_column(contract))
    return hours.select("signal_date", start, "entity", *columns, *bands, "readings")


def _aggregate(at: int, aggregate: str) -> pl.Expr:
    count, total = pl.col(f"count {at}"), pl.col(f"sum {at}")
    match aggregate:
        case "mean":
            made = total / count
        case "sum":
            made = total
        case "count":
            return count
        case "circular_mean":
            made = circular_mean(pl.col(f"sin {at}"), pl.col(f"cos {at}"))
        case "min" | "max" | "last":
            made = pl.col(f"{aggregate} {at}")
        case _:
            made = (
                pl.col(f"values {at}")
                .list.eval(pl.element().quantile(int(aggregate[1:]) / 100, interpolation="linear"))
                .list.first()
            )
    return pl.when(count > 0).then(made)


def circular_mean(sines: pl.Expr, cosines: pl.Expr) -> pl.Expr:
    """The direction of the sum of unit vectors, in [0, 360): the mean of 350 and 10 is 0, and not 180."""
    mean = pl.arctan2(sines, cosines).degrees()
    turned = mean + 360
    return pl.when(mean < 0).then(pl.when(turned < 360).then(turned).otherwise(0.0)).otherwise(mean)


def band(value: pl.Expr, bands: dict[str, float | None]) -> pl.Expr:
    """The first band whose bound the value is below; null for a missing value."""
    words = [
        pl.when(value.is_not_null() if bound is None else value < bound).then(pl.lit(name))
        for name, bound in bands.items()
    ]
    return pl.coalesce(words)
