"""The analysis as functions of frames: no reading, no writing, no clock.

The session's zone is the contract's: days and hours are those of its clock. An hour is an instant, so the one
that a clock change doubles is two rows where the source's times tell them apart. The same is made of the same
readings without Spark by `headrace.analyse.transforms`; tests/spark/test_engines_agree.py.
"""

from datetime import timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from headrace.contract.analysis import Indicator
from headrace.contract.loader import load_signal_names
from headrace.contract.model import Contract
from headrace.contract.number_form import PLAIN, NumberForm
from headrace.contract.record import EventTime, Signal
from headrace.tables.gold_columns import HOUR as HOURS
from headrace.tables.gold_columns import aggregated, numeric, start_column

HOUR = ["signal_date", "signal_hour", "entity"]


def daily_completeness(readings: DataFrame, event_time: EventTime) -> DataFrame:
    """How many distinct times each day (and entity) has, and how many of its slots have none.

    Columns: `signal_date`, `entity`, `distinct_signal_ts`, `expected` and `missing` (null without a cadence),
    `first`, `last`.
    """
    slot, expected = _slot(event_time), _expected(event_time)
    times = readings.select("signal_date", "entity", "signal_ts").distinct()
    slots = times.groupBy("signal_date", "entity", slot.alias("slot")).agg(
        F.count("*").alias("times"), F.min("signal_ts").alias("first"), F.max("signal_ts").alias("last")
    )
    days = slots.groupBy("signal_date", "entity").agg(
        F.sum("times").alias("distinct_signal_ts"),
        F.count_if((F.col("slot") >= 0) & (F.col("slot") < expected)).alias("filled"),
        F.min("first").alias("first"),
        F.max("last").alias("last"),
    )
    return days.select(
        "signal_date",
        "entity",
        "distinct_signal_ts",
        expected.alias("expected"),
        (expected - F.col("filled")).alias("missing"),
        "first",
        "last",
    )


def _slot(event_time: EventTime) -> Column:
    """The slot [start, start + every) of its day in which a time lies, counted from the day's beginning."""
    if event_time.every is None:
        return F.lit(None).cast("bigint")
    after = F.unix_micros("signal_ts") - _begins(F.col("signal_date"))
    return F.floor(after / F.lit(event_time.every // timedelta(microseconds=1))).cast("bigint")


def _expected(event_time: EventTime) -> Column:
    """How many slots the day really has; 23 or 25 hours when clocks change, none where a zone left it out."""
    if event_time.every is None:
        return F.lit(None).cast("bigint")
    whole = _begins(F.date_add("signal_date", 1)) - _begins(F.col("signal_date"))
    slots = F.floor(whole / F.lit(event_time.every // timedelta(microseconds=1))).cast("bigint")
    return F.when(whole > 0, F.greatest(slots, F.lit(1))).otherwise(0)


def _begins(day: Column) -> Column:
    return F.unix_micros(day.cast("timestamp"))


def readings_an_hour(readings: DataFrame, every: timedelta = HOURS) -> DataFrame:
    """How many readings each hour (and entity) has."""
    return readings.groupBy("signal_date", start_of(every).alias("signal_hour"), "entity").agg(
        F.count("*").alias("readings")
    )


def start_of(every: timedelta) -> Column:
    """The instant at which the hour, or the slot of that length in its day, begins in which a time lies.

    When clocks change the day's last slot is longer or shorter, by less than half.
    """
    if every == HOURS:
        return F.date_trunc("hour", "signal_ts")
    day, size = F.to_date("signal_ts"), F.lit(every // timedelta(microseconds=1)).cast("bigint")
    begins = _begins(day)
    whole = _begins(F.date_add(day, 1)) - begins
    last = F.greatest(F.floor((2 * whole + size) / (2 * size)) - 1, F.lit(0))
    slot = F.floor((F.unix_micros("signal_ts") - begins) / size)
    return F.timestamp_micros((begins + F.least(slot, last) * size).cast("bigint"))


def averages_by_signal(readings: DataFrame, contract: Contract, signals: tuple[Signal, ...]) -> DataFrame:
    """The aggregates of every signal in every hour (and entity), a row for each of them.

    Columns: `signal_date`, `signal_hour`, `entity`, `readings`, `sig_name`, `the mean`, and each other
    aggregate that the contract asks of a signal (a name with a blank is no indicator's); null where it is not
    asked of this one. A missing value counts for nothing.
    """
    asked: dict[str, set[str]] = {signal.name: {"mean"} for signal in signals}
    for _, signal, aggregate in aggregated(contract):
        asked[signal.name].add(aggregate)
    kinds = sorted(set().union(*asked.values()))
    start = start_of(contract.analysis.every).alias("signal_hour")
    averages = readings.groupBy("signal_date", start, "entity").agg(
        F.count("*").alias("readings"),
        F.array(
            *(_aggregates(each, value_of(each, contract), asked[each.name], kinds) for each in signals)
        ).alias("averages"),
    )
    return averages.select(*HOUR, "readings", F.inline("averages"))


def _aggregates(signal: Signal, value: Column, asked: set[str], kinds: list[str]) -> Column:
    made = (
        (_aggregate(kind, value) if kind in asked else F.lit(None)).cast(
            "bigint" if kind == "count" else "double"
        )
        for kind in kinds
    )
    named = (each.alias(f"the {kind}") for each, kind in zip(made, kinds, strict=True))
    return F.struct(F.lit(signal.name).alias("sig_name"), *named)


SIMPLE = {"mean": F.avg, "sum": F.sum, "count": F.count, "min": F.min, "max": F.max}


def _aggregate(kind: str, value: Column) -> Column:
    if kind in SIMPLE:
        return SIMPLE[kind](value)
    if kind == "circular_mean":
        return circular_mean(value)
    if kind == "last":
        return F.max(F.when(value.isNotNull(), F.struct("signal_ts", value.alias("value"))))["value"]
    return F.percentile(value, int(kind[1:]) / 100)


def value_of(signal: Signal, contract: Contract) -> Column:
    """A numeric signal's value in `readings`, as DOUBLE; null where there is none."""
    if contract.landing.columns == "typed":
        return F.col(signal.typed_column).cast("double")
    form = contract.record.number_form(signal)
    return number(F.try_element_at("signals", F.lit(signal.name)), form)


def circular_mean(degrees: Column) -> Column:
    """The direction of the mean of unit vectors, in [0, 360): the mean of 350 and 10 is 0, and not 180."""
    angle = F.radians(degrees)
    mean = F.degrees(F.atan2(F.avg(F.sin(angle)), F.avg(F.cos(angle))))
    return F.when(mean < 0, F.when(mean + 360 < 360, mean + 360).otherwise(F.lit(0.0))).otherwise(mean)


def with_indicator(averages: DataFrame, indicator: Indicator) -> DataFrame:
    """Each hour's band, by the average of the indicator's signal, on each of its rows."""
    hour = Window.partitionBy(*HOUR)
    average = F.max(F.when(F.col("sig_name") == indicator.signal, F.col("the mean"))).over(hour)
    return averages.withColumn(indicator.name, band(average, indicator.bands))


def band(value: Column, bands: dict[str, float | None]) -> Column:
    """The first band whose bound the value is below; null for a missing value."""
    word = F.when(value.isNull(), F.lit(None).cast("string"))
    for name, bound in bands.items():
        word = word.when(F.lit(True) if bound is None else value < bound, F.lit(name))
    return word


def renamed(averages: DataFrame, mapping: DataFrame) -> DataFrame:
    """Each row with its signal's mapped name as `column`, by a broadcast join; an unmapped one keeps its own.

    `mapping`: `sig_name`, `sig_mapping_name`, as its file has them, repeated entries among them.
    """
    names = mapping.select("sig_name", "sig_mapping_name").distinct()
    return averages.join(F.broadcast(names), "sig_name", "left").withColumn(
        "column", F.coalesce("sig_mapping_name", "sig_name")
    )


def averages(readings: DataFrame, mapping: DataFrame, contract: Contract) -> DataFrame:
    """One row per hour (and entity): each signal's aggregates by its mapped name, indicators, readings.

    `mapping` as in `renamed`.
    """
    signals, indicators = numeric(contract), contract.analysis.indicator
    start = F.col("signal_hour").alias(start_column(contract))
    if not signals:  # Spark makes no rows of an empty array
        hours = readings_an_hour(readings, contract.analysis.every)
        return hours.select("signal_date", start, "entity", "readings")
    by_signal = averages_by_signal(readings, contract, signals)
    for indicator in indicators:
        by_signal = with_indicator(by_signal, indicator)
    kept = [*HOUR, *(each.name for each in indicators), "readings"]
    names = load_signal_names(contract)
    columns = [
        F.max(
            F.when(F.col("column") == names.get(signal.name, signal.name), F.col(f"the {aggregate}"))
        ).alias(column)
        for column, signal, aggregate in aggregated(contract)
    ]
    hours = renamed(by_signal, mapping).groupBy(*kept).agg(F.count("*").alias("of signals"), *columns)
    made = hours.columns[len(kept) + 1 :]
    return hours.select("signal_date", start, "entity", *map(column, made), *kept[len(HOUR) :])


def column(name: str) -> Column:
    """The column of exactly that name; `col` alone takes a dot for a field of a struct."""
    return F.col(f"`{name.replace('`', '``')}`")


def number(text: Column, form: NumberForm = PLAIN) -> Column:
    """A decimal number as DOUBLE, infinite where it is too large for one; null for any other text."""
    plain = F.regexp_replace(text, form.separator, "") if form.separator else text
    if form.decimal != ".":
        plain = F.replace(plain, F.lit(form.decimal), F.lit("."))
    return F.when(text.rlike(rf"^(?:{form.number})\z"), plain.try_cast("double"))
