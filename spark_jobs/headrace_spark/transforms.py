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
from headrace.tables.gold_columns import circular_column, gold_column, numeric

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


def readings_an_hour(readings: DataFrame) -> DataFrame:
    """How many readings each hour (and entity) has."""
    hour = F.date_trunc("hour", "signal_ts").alias("signal_hour")
    return readings.groupBy("signal_date", hour, "entity").agg(F.count("*").alias("readings"))


def averages_by_signal(readings: DataFrame, contract: Contract, signals: tuple[Signal, ...]) -> DataFrame:
    """The average of every signal in every hour (and entity), a row for each of them.

    Columns: `signal_date`, `signal_hour`, `entity`, `readings`, `sig_name`, `average`, `circular` (a mean in
    degrees, [0, 360); null unless the signal is a direction). A missing value counts for nothing.
    """
    averages = readings.groupBy(
        "signal_date", F.date_trunc("hour", "signal_ts").alias("signal_hour"), "entity"
    ).agg(
        F.count("*").alias("readings"),
        F.array(*(_average_of(each, value_of(each, contract)) for each in signals)).alias("averages"),
    )
    return averages.select(*HOUR, "readings", F.inline("averages"))


def value_of(signal: Signal, contract: Contract) -> Column:
    """A numeric signal's value in `readings`, as DOUBLE; null where there is none."""
    if contract.landing.columns == "typed":
        return F.col(signal.typed_column).cast("double")
    form = contract.record.number_form(signal)
    return number(F.try_element_at("signals", F.lit(signal.name)), form)


def _average_of(signal: Signal, value: Column) -> Column:
    circular = circular_mean(value) if signal.circular else F.lit(None).cast("double")
    return F.struct(
        F.lit(signal.name).alias("sig_name"), F.avg(value).alias("average"), circular.alias("circular")
    )


def circular_mean(degrees: Column) -> Column:
    """The direction of the mean of unit vectors, in [0, 360): the mean of 350 and 10 is 0, and not 180."""
    angle = F.radians(degrees)
    mean = F.degrees(F.atan2(F.avg(F.sin(angle)), F.avg(F.cos(angle))))
    return F.when(mean < 0, F.when(mean + 360 < 360, mean + 360).otherwise(F.lit(0.0))).otherwise(mean)


def with_indicator(averages: DataFrame, indicator: Indicator) -> DataFrame:
    """Each hour's band, by the average of the indicator's signal, on each of its rows."""
    hour = Window.partitionBy(*HOUR)
    average = F.max(F.when(F.col("sig_name") == indicator.signal, F.col("average"))).over(hour)
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


def hourly_average(readings: DataFrame, mapping: DataFrame, contract: Contract) -> DataFrame:
    """One row per hour (and entity): each signal's average by its mapped name, the indicator, the readings.

    `mapping` as in `renamed`. A direction has a second column, its circular mean.
    """
    signals = numeric(contract)
    indicator = contract.analysis.indicator
    if not signals:  # Spark makes no rows of an empty array
        return readings_an_hour(readings)
    averages = averages_by_signal(readings, contract, signals)
    if indicator:
        averages = with_indicator(averages, indicator)
    kept = [*HOUR, *([indicator.name] if indicator else []), "readings"]
    names = load_signal_names(contract)
    columns = [
        column for signal in signals for column in _columns(signal, names.get(signal.name, signal.name))
    ]
    hours = renamed(averages, mapping).groupBy(*kept).agg(*columns)
    return hours.select(*HOUR, *map(column, hours.columns[len(kept) :]), *kept[len(HOUR) :])


def column(name: str) -> Column:
    """The column of exactly that name; `col` alone takes a dot for a field of a struct."""
    return F.col(f"`{name.replace('`', '``')}`")


def _columns(signal: Signal, name: str) -> list[Column]:
    ours = F.col("column") == name
    average = F.max(F.when(ours, F.col("average"))).alias(gold_column(name))
    circular = F.max(F.when(ours, F.col("circular"))).alias(circular_column(name))
    return [average, circular] if signal.circular else [average]


def number(text: Column, form: NumberForm = PLAIN) -> Column:
    """A decimal number as DOUBLE, infinite where it is too large for one; null for any other text."""
    plain = F.regexp_replace(text, form.separator, "") if form.separator else text
    if form.decimal != ".":
        plain = F.replace(plain, F.lit(form.decimal), F.lit("."))
    return F.when(text.rlike(rf"^(?:{form.number})\z"), plain.try_cast("double"))
