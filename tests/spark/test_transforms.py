"""The analysis on a few rows: facts about days, hours, names and bands."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.contract.model import Contract
from headrace.tables.gold_columns import gold_column
from headrace_spark.transforms import (
    averages,
    band,
    circular_mean,
    daily_completeness,
    renamed,
)
from testbed.parse_cases import contract

ZONE = ZoneInfo("Europe/Istanbul")
HOSTILE = ["rotor.speed", "signals.`a", "'it'", '"']
MAPPING = [("Power (kW)", "power_average"), ("Power (kW)", "power_average"), ("unheard of", "nothing")]


def _readings(spark: SparkSession, *rows: tuple[str, str | None, dict[str, str | None]]) -> DataFrame:
    """Readings of (local time, entity, signals)."""
    schema = "local STRING, entity STRING, signals MAP<STRING, STRING>"
    ts = F.to_timestamp("local")
    return spark.createDataFrame(list(rows), schema).select(
        F.to_date(ts).alias("signal_date"), ts.alias("signal_ts"), "entity", "signals"
    )


def _mapping(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(MAPPING, "sig_name STRING, sig_mapping_name STRING")


def _contract(every: str | None = None, **analysis: Any) -> Contract:
    shape = contract().record.model_dump(mode="json")
    shape["event_time"]["every"] = every
    shape["signals"] = [
        {"name": "Power (kW)", "fields": ["p"]},
        {"name": "Direction (°)", "fields": ["d"], "circular": True},
        {"name": "state", "fields": ["s"], "type": "string"},
    ]
    return contract(record=shape, analysis=analysis)


INDICATOR = {"name": "band", "signal": "Power (kW)", "bands": {"Low": 200, "High": None}}


def test_a_day_counts_distinct_times_and_what_its_clock_holds(spark: SparkSession) -> None:
    days = _daily(
        _readings(
            spark,
            ("2016-03-27 00:00", None, {}),
            ("2016-03-27 00:00", None, {}),
            ("2016-03-27 23:50", None, {}),
            ("2018-01-01 12:00", "a", {}),
        ),
        "PT10M",
    )
    assert days == [
        (date(2016, 3, 27), None, 2, 138, 136),  # a day of 23 hours: clocks went forward
        (date(2018, 1, 1), "a", 1, 144, 143),
    ]


def _daily(readings: DataFrame, every: str) -> list[tuple[Any, ...]]:
    """Day, entity, distinct times, expected and missing slots."""
    days = daily_completeness(readings, _contract(every).record.event_time)
    return [tuple(row)[:5] for row in days.orderBy("signal_date", "entity").collect()]


def test_slots_are_counted_that_have_a_reading_and_not_readings(spark: SparkSession) -> None:
    """Case 25: a reading every half hour of half a day, where one an hour is promised."""
    half_hours = [datetime(2018, 1, 1) + timedelta(minutes=30 * number) for number in range(24)]  # noqa: DTZ001
    ragged = ["2018-01-02 00:59:59.999999", "2018-01-02 01:00", "2018-01-02 23:59:59.999999"]
    rows = [(str(time), None, {}) for time in (*half_hours, *ragged)]
    assert _daily(_readings(spark, *rows), "PT1H") == [
        (date(2018, 1, 1), None, 24, 24, 12),
        (date(2018, 1, 2), None, 3, 24, 21),
    ]


def test_a_slot_may_be_longer_than_an_hour(spark: SparkSession) -> None:
    times = ["00:00", "01:59", "02:00", "04:30", "05:30", "06:30", "07:30"]  # 00-04 and 04-08
    rows = [(f"2018-01-01 {time}", entity, {}) for time in times for entity in ("a", None)]
    assert _daily(_readings(spark, *rows), "PT4H") == [
        (date(2018, 1, 1), None, 7, 6, 4),
        (date(2018, 1, 1), "a", 7, 6, 4),
    ]


def test_a_doubled_hour_has_slots_of_its_own(spark: SparkSession) -> None:
    """On 8 November 2015 the clock in Istanbul went back from 04:00 to 03:00."""
    times = [datetime(2015, 11, 8, 3, 30, tzinfo=ZONE, fold=fold) for fold in (0, 1)]
    readings = _at_instants(spark, *times)
    assert _daily(readings, "PT30M") == [(date(2015, 11, 8), None, 2, 50, 48)]


def _at_instants(spark: SparkSession, *instants: datetime) -> DataFrame:
    return spark.createDataFrame(
        [(instant.date(), instant, None, {"Power (kW)": "1"}) for instant in instants],
        "signal_date DATE, signal_ts TIMESTAMP, entity STRING, signals MAP<STRING, STRING>",
    )


def test_without_a_cadence_nothing_is_expected(spark: SparkSession) -> None:
    readings = _readings(spark, ("2018-01-01 12:00", None, {}))
    row = daily_completeness(readings, _contract().record.event_time).collect()[0]
    assert (row.distinct_signal_ts, row.expected, row.missing) == (1, None, None)


def test_an_hour_has_a_column_a_signal_and_a_missing_value_is_no_zero(spark: SparkSession) -> None:
    readings = _readings(
        spark,
        ("2018-01-01 00:00", None, {"Power (kW)": "150", "Direction (°)": "350", "state": "on"}),
        ("2018-01-01 00:10", None, {"Power (kW)": "250", "Direction (°)": "10"}),
        ("2018-01-01 00:20", None, {"Power (kW)": "", "unknown": "7"}),
        ("2018-01-01 01:00", None, {"Power (kW)": None}),
    )
    hours = _hourly(readings, _contract(indicator=INDICATOR)).orderBy("signal_hour")
    assert hours.columns == [
        "signal_date",
        "signal_hour",
        "entity",
        "Power__kW_",
        "Direction__°_",
        "Direction__°__circular",
        "band",
        "readings",
    ]
    rows = [tuple(row) for row in hours.collect()]
    assert [row[3:5] + row[6:] for row in rows] == [(200.0, 180.0, "High", 3), (None, None, None, 1)]
    assert min(rows[0][5], 360 - rows[0][5]) == pytest.approx(0, abs=1e-9)


def test_a_signals_name_may_hold_dots_and_quotes(spark: SparkSession) -> None:
    shape = contract().record.model_dump(mode="json")
    shape["signals"] = [{"name": name, "fields": [name]} for name in HOSTILE]
    readings = _readings(spark, ("2018-01-01 00:00", None, dict.fromkeys(HOSTILE, "7")))
    hours = _hourly(readings, contract(record=shape))
    assert hours.columns == ["signal_date", "signal_hour", "entity", *HOSTILE, "readings"]
    assert [tuple(row)[3:] for row in hours.collect()] == [(7.0, 7.0, 7.0, 7.0, 1)]


def _hourly(readings: DataFrame, of: Contract) -> DataFrame:
    no_names = readings.sparkSession.createDataFrame([], "sig_name STRING, sig_mapping_name STRING")
    return averages(readings, no_names, of)


def test_the_doubled_hour_of_a_clock_change_is_two_rows(spark: SparkSession) -> None:
    instants = [datetime(2015, 11, 8, 3, 30, tzinfo=ZONE, fold=fold) for fold in (0, 1)]
    hours = _hourly(_at_instants(spark, *instants), _contract())
    assert sorted(row.readings for row in hours.collect()) == [1, 1]


def test_signals_are_renamed_by_a_broadcast_join_and_a_double_entry_doubles_nothing(
    spark: SparkSession,
) -> None:
    averages = spark.createDataFrame([("Power (kW)", 1.0), ("state", 2.0)], "sig_name STRING, average DOUBLE")
    named = renamed(averages, _mapping(spark))
    assert sorted((row.column, row.average) for row in named.collect()) == [
        ("power_average", 1.0),
        ("state", 2.0),
    ]
    plan = named._jdf.queryExecution().executedPlan().toString()
    assert "BroadcastHashJoin" in plan


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (-5.0, "Low"),
        (199.999, "Low"),
        (200.0, "Medium"),
        (600.0, "High"),
        (1000.0, "Exceptional"),
        (None, None),
    ],
)
def test_a_band_begins_at_its_lower_bound(spark: SparkSession, value: float | None, word: str | None) -> None:
    bands = {"Low": 200.0, "Medium": 600.0, "High": 1000.0, "Exceptional": None}
    frame = spark.createDataFrame([(value,)], "value DOUBLE").select(band(F.col("value"), bands))
    assert frame.collect()[0][0] == word


def test_a_circular_mean_stays_below_360(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(0.0,), (360.0,), (359.9999999999999,)], "degrees DOUBLE")
    mean = frame.select(circular_mean(F.col("degrees"))).collect()[0][0]
    assert 0 <= mean < 360


def test_a_column_keeps_its_own_name_but_for_what_delta_refuses() -> None:
    assert gold_column("wind_speed") == "wind_speed"
    assert gold_column("Wind Speed (m/s)") == "Wind_Speed__m/s_"
