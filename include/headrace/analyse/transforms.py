"""The analysis as functions of polars' frames: no reading, no writing, no clock.

What Spark's transforms (`headrace_spark.transforms`) make of the same readings is the same:
tests/spark/test_engines_agree.py. Readings may come in pieces: what is made of each can be added up.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import polars as pl

from headrace.contract.loader import load_signal_names
from headrace.contract.model import Contract
from headrace.contract.record import EventTime, Signal
from headrace.numeric import number
from headrace.tables.gold_columns import circular_column, gold_column, numeric
from headrace.zones import day_begins, hour_begins, slots_of_days

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
    zone = contract.record.event_time.timezone
    signals = numeric(contract)
    values = [value_of(signal, contract) for signal in signals]
    return (
        readings.with_columns(
            hour_begins(readings["signal_ts"], zone).alias("signal_hour"),
            *(value.alias(f"value {at}") for at, value in enumerate(values)),
        )
        .group_by(HOUR)
        .agg(
            pl.len().cast(pl.Int64).alias("readings"),
            pl.col("signal_ts").unique().alias("times"),
            *(part for at, signal in enumerate(signals) for part in _sums_of(at, signal)),
        )
    )


def _sums_of(at: int, signal: Signal) -> Iterator[pl.Expr]:
    value = pl.col(f"value {at}")
    yield value.sum().alias(f"sum {at}")
    yield value.count().cast(pl.Int64).alias(f"count {at}")
    if signal.circular:
        angle = value.radians()
        yield angle.sin().sum().alias(f"sin {at}")
        yield angle.cos().sum().alias(f"cos {at}")


def added(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The sums of readings that came in several pieces."""
    if len(parts) == 1:
        return parts[0]
    return (
        pl.concat(parts)
        .group_by(HOUR)
        .agg(pl.col("times").explode().unique(), pl.all().exclude("times", *HOUR).sum())
    )


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


def hourly_average(hours: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """One row per hour (and entity): each signal's average by its mapped name, the indicator, the readings.

    A direction has a second column, its circular mean, in degrees.
    """
    names, signals = load_signal_names(contract), numeric(contract)
    columns = [
        column
        for at, signal in enumerate(signals)
        for column in _averages(at, signal, names.get(signal.name, signal.name))
    ]
    indicator = contract.analysis.indicator
    if indicator:
        at = [signal.name for signal in signals].index(indicator.signal)
        columns.append(band(_average(at), indicator.bands).alias(indicator.name))
    return hours.select(*HOUR, *columns, "readings")


def _averages(at: int, signal: Signal, name: str) -> Iterator[pl.Expr]:
    yield _average(at).alias(gold_column(name))
    if signal.circular:
        known = pl.col(f"count {at}") > 0
        mean = circular_mean(pl.col(f"sin {at}"), pl.col(f"cos {at}"))
        yield pl.when(known).then(mean).alias(circular_column(name))


def _average(at: int) -> pl.Expr:
    return pl.when(pl.col(f"count {at}") > 0).then(pl.col(f"sum {at}") / pl.col(f"count {at}"))


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
