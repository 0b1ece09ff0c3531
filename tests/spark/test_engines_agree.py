"""Spark's transforms and the worker's make the same gold rows of the same readings, whatever these hold."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from headrace.analyse import transforms as by_polars
from headrace.analyse.gold_schemas import gold_schemas
from headrace.contract.model import Contract
from headrace.tables.gold_columns import averages_table, start_column
from headrace.tables.names import DAILY_COMPLETENESS, HOURLY_AVERAGE
from headrace_spark import transforms as by_spark
from headrace_spark.gold import _mapping
from testbed.fuzzed import NO_NUMBERS
from testbed.parse_cases import contract

POWER, SPEED, DIRECTION = "Power (kW)", 'rotor.speed `max` "it\'s"', "Direction (°)"
LEVEL = "level"
AGGREGATES = {
    LEVEL: ["min", "max", "last", "sum", "count", "p25", "p50", "mean"],
    POWER: [],
    DIRECTION: ["circular_mean", "count"],
}

CLOCK_CHANGES = {
    "Europe/Berlin": ["2018-03-25 01:00", "2018-10-28 01:00"],
    "Europe/Istanbul": ["2015-11-08 01:00", "2016-03-27 01:00"],
    "Australia/Lord_Howe": ["2018-03-31 15:00", "2018-10-06 15:30"],  # by half an hour
    "America/Sao_Paulo": ["2018-11-04 03:00", "2019-02-17 02:00"],  # at midnight, and to before it
    "America/St_Johns": ["2006-04-02 03:31", "2006-10-29 02:31"],  # at one minute past midnight
    "Pacific/Apia": ["2011-12-30 10:00"],  # a day left out
    "UTC": ["2018-01-01 00:00", "1969-12-31 23:59"],
}
"""Zones, and instants at or about which their clocks were changed."""

COLUMNS = pa.schema(
    {
        "signal_date": pa.date32(),
        "signal_ts": pa.timestamp("us", tz="UTC"),
        "entity": pa.string(),
        "signals": pa.map_(pa.string(), pa.string()),
    }
)
INDICATOR = {"name": "band", "signal": POWER, "bands": {"Low": 20, "Medium": 60.25, "High": None}}

Row = tuple[datetime, str | None, dict[str, str | None]]
"""Instant, entity, signals."""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of signal names that repeats one, leaves one out and names one that is unheard of."""
    file = tmp_path_factory.mktemp("names") / "names.json"
    pairs = [
        (POWER, "power, average"),
        (POWER, "power, average"),
        (DIRECTION, "d"),
        ("unheard of", "nothing"),
    ]
    file.write_text(json.dumps([{"sig_name": name, "sig_mapping_name": mapped} for name, mapped in pairs]))
    return file


def _contract(zone: str, cadence: str | None, **analysis: Any) -> Contract:
    shape = contract().record.model_dump(mode="json")
    shape["event_time"] |= {"timezone": zone, "every": cadence}
    shape["signals"] = [
        {"name": POWER, "fields": ["p"]},
        {"name": "state", "fields": ["state"], "type": "string"},
        {"name": DIRECTION, "fields": ["d"], "circular": True},
        {"name": SPEED, "fields": ["s"]},
        {"name": LEVEL, "fields": ["l"]},
    ]
    return contract(record=shape, analysis=analysis)


def _readings(rows: list[Row], zone: str) -> pa.Table:
    days = [instant.astimezone(ZoneInfo(zone)).date() for instant, _, _ in rows]
    instants, entities, signals = zip(*rows, strict=True)
    columns = {
        "signal_date": days,
        "signal_ts": instants,
        "entity": entities,
        "signals": [list(each.items()) for each in signals],
    }
    return pa.table(columns, COLUMNS)


def _worker(readings: pa.Table, of: Contract, pieces: int = 1) -> dict[str, pa.Table]:
    size = -(-len(readings) // pieces)
    parts = [pl.DataFrame(readings.slice(start, size)) for start in range(0, len(readings), size)]
    hours = by_polars.added([by_polars.sums(part, of) for part in parts])
    return {
        DAILY_COMPLETENESS: by_polars.daily_completeness(hours, of.record.event_time).to_arrow(),
        averages_table(of): by_polars.averages(hours, of).to_arrow(),
    }


def _spark(spark: SparkSession, readings: pa.Table, of: Contract) -> dict[str, pa.Table]:
    with _zone(spark, of.record.event_time.timezone):
        frame = spark.createDataFrame(readings)
        return {
            DAILY_COMPLETENESS: by_spark.daily_completeness(frame, of.record.event_time).toArrow(),
            averages_table(of): by_spark.averages(frame, _mapping(spark, of), of).toArrow(),
        }


@contextmanager
def _zone(spark: SparkSession, zone: str) -> Iterator[None]:
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        yield
    finally:
        spark.conf.set("spark.sql.session.timeZone", str(before))


def _rows(tables: Mapping[str, pa.Table], of: Contract) -> dict[str, list[dict[str, Any]]]:
    """Their rows in order, as they would stand in the tables; of NaN the text, which is equal to itself."""
    found = {}
    for name, schema in gold_schemas(of).items():
        rows = tables[name].cast(schema).to_pylist()
        order = start_column(of) if name == averages_table(of) else "first"
        rows.sort(key=lambda row: (row["signal_date"], row[order], row["entity"] is not None, row["entity"]))
        found[name] = [
            {key: "NaN" if value != value else value for key, value in row.items()}  # noqa: PLR0124
            for row in rows
        ]
    return found


def _assert_equal(spark: SparkSession, rows: list[Row], of: Contract, pieces: int = 1) -> None:
    readings = _readings(rows, of.record.event_time.timezone)
    here = _rows(_worker(readings, of, pieces), of)
    there = _rows(_spark(spark, readings, of), of)
    table = averages_table(of)
    for circular in [name for name in gold_schemas(of)[table].names if name.endswith("_circular")]:
        for own, other in zip(here[table], there[table], strict=True):
            _assert_same_direction(own.pop(circular), other.pop(circular))
    assert here == there


def _assert_same_direction(one: float | None, other: float | None) -> None:
    """To nine digits: sines are not the same to the last one in all languages."""
    if isinstance(one, float) and isinstance(other, float):
        assert 0 <= one < 360 > other >= 0
        assert abs((one - other + 180) % 360 - 180) < 1e-7
    else:
        assert one == other


@st.composite
def _instants(draw: st.DrawFn, zone: str) -> datetime:
    about = datetime.fromisoformat(draw(st.sampled_from(CLOCK_CHANGES[zone]))).replace(tzinfo=UTC)
    minutes = draw(st.one_of(st.integers(-300, 300), st.integers(-3_000, 3_000).map(lambda tens: tens * 10)))
    return about + timedelta(minutes=minutes, microseconds=draw(st.sampled_from([0, 0, 1, 999_999, -1])))


# Sums of quarters are exact in any order, so that averages are too, and the bands they lie in.
QUARTERS = st.integers(-800, 800).map(lambda quarters: f"{quarters / 4:g}")
VALUES = st.one_of(QUARTERS, QUARTERS, st.sampled_from([*NO_NUMBERS, "", "+.5", "5.", "7e0", "x"]), st.none())

LEVELS = st.one_of(QUARTERS, st.sampled_from(["", "x"]), st.none())


@st.composite
def _streams(draw: st.DrawFn) -> tuple[str, str | None, list[Row], int]:
    """Zone, cadence, readings, and in how many pieces they are read."""
    zone = draw(st.sampled_from(sorted(CLOCK_CHANGES)))
    every = draw(st.sampled_from([None, "PT1S", "PT10M", "PT45M", "PT1H", "PT4H", "P1D"]))
    about = draw(st.integers(-720, 720))
    # Within 120 degrees: the mean of directions all around is none, and every engine has its own.
    directions = st.one_of(st.integers(about - 60, about + 60).map(str), st.sampled_from(["", "north"]))
    signals = st.fixed_dictionaries(
        {},
        optional={POWER: VALUES, SPEED: VALUES, DIRECTION: directions, "state": VALUES, LEVEL: LEVELS},
    )
    row = st.tuples(_instants(zone), st.sampled_from([None, "a", ""]), signals)
    return zone, every, draw(st.lists(row, min_size=1, max_size=150)), draw(st.integers(1, 4))


@settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    stream=_streams(),
    named=st.booleans(),
    slot=st.sampled_from(["PT1H", "PT15M", "PT30M", "PT45M", "PT6H", "P1D"]),
)
def test_they_make_the_same_of_any_readings(
    spark: SparkSession, names: Path, stream: tuple[str, str | None, list[Row], int], named: bool, slot: str
) -> None:
    zone, every, rows, pieces = stream
    analysis: dict[str, Any] = {"every": slot}
    if named:
        second = INDICATOR | {"name": "second", "signal": LEVEL}
        analysis |= {"signal_names": str(names), "indicator": [INDICATOR, second], "aggregates": AGGREGATES}
    _assert_equal(spark, rows, _contract(zone, every, **analysis), pieces)


TEXTS = [
    *NO_NUMBERS,
    *("0", "-0", "+1", "1.", ".5", "-.5e1", "1e5", "1E+05", "007", "1e400", "-1e400", "1e-400", "4.9e-324"),
    *("0.1", "123456789012345678901234567890", "9" * 400, "1" + "0" * 308, "1.7976931348623157e308"),
    *("2.2250738585072011e-308", "1\n", "1\r", "\n1", "1e", "e1", ".", "+", "", "1 000", "1,5", "∞", "1e1.5"),
]


def test_they_read_the_same_numbers(spark: SparkSession) -> None:
    """Each text in an hour of its own, beside nothing else: to the last digit."""
    start = datetime(2018, 1, 1, tzinfo=UTC)
    rows: list[Row] = [
        (start + timedelta(hours=number), None, {POWER: text, SPEED: text})
        for number, text in enumerate(TEXTS)
    ]
    rows.append((start + timedelta(hours=len(TEXTS)), None, {POWER: "1e400"}))
    rows.append((start + timedelta(hours=len(TEXTS)), None, {POWER: "-1e400"}))  # neither is larger
    _assert_equal(spark, rows, _contract("UTC", None, indicator=INDICATOR))


def test_they_read_the_same_numbers_in_the_contracts_form(spark: SparkSession) -> None:
    texts = [
        *("0,5", "1.200,25", "1.200", "1200,5", "1.20", "12.345.678,9", ",5", "5,", "1,5e1", "1,2,3", "1.5"),
        *("1.2000", "-1.000", "+,5", ".200", "1 200", "NaN", "", "1.200,25\n"),
    ]
    start = datetime(2018, 1, 1, tzinfo=UTC)
    rows: list[Row] = [
        (start + timedelta(hours=number), None, {POWER: text, SPEED: text.replace(".", "\u202f"), "n": text})
        for number, text in enumerate(texts)
    ]
    shape = _contract("UTC", None).record.model_dump(mode="json") | {"decimal": ",", "thousands": "."}
    shape["signals"] = [
        {"name": POWER, "fields": ["p"]},
        {"name": SPEED, "fields": ["s"], "decimal": ",", "thousands": " "},
        {"name": "n", "fields": ["n"], "type": "decimal(20, 4)"},
    ]
    of = contract(record=shape)
    _assert_equal(spark, rows, of)
    hours = _worker(_readings(rows, "UTC"), of)[HOURLY_AVERAGE].sort_by("signal_hour").to_pylist()
    expected = [
        0.5,
        1200.25,
        1200.0,
        1200.5,
        None,
        12345678.9,
        0.5,
        5.0,
        15.0,
        None,
        None,
        None,
        -1000.0,
        0.5,
    ]
    assert [hour["n"] for hour in hours] == expected + [None] * 5


def test_they_count_readings_that_have_no_number(spark: SparkSession) -> None:
    start = datetime(2018, 1, 1, 0, 59, tzinfo=UTC)
    rows: list[Row] = [(start + timedelta(minutes=at), "a", {"text": "x"}) for at in range(3)]
    shape = contract().record.model_dump(mode="json")
    shape["signals"] = [{"name": "text", "fields": ["text"], "type": "string"}]
    _assert_equal(spark, rows, contract(record=shape))


def test_a_day_that_is_another_by_the_present_contract_keeps_its_name(spark: SparkSession) -> None:
    """The readings were landed under another zone: their day is as it was, and some slots lie outside it."""
    of = _contract("Europe/Istanbul", "PT1H")
    instants = [datetime(2018, 1, 1, hour, 30, tzinfo=UTC) for hour in range(24)]
    readings = pa.table(
        {
            "signal_date": [date(2018, 1, 1)] * 24,
            "signal_ts": instants,
            "entity": [None] * 24,
            "signals": [[]] * 24,
        },
        COLUMNS,
    )
    here, there = _rows(_worker(readings, of), of), _rows(_spark(spark, readings, of), of)
    assert here == there
    assert [(row["distinct_signal_ts"], row["missing"]) for row in here[DAILY_COMPLETENESS]] == [(24, 3)]


def test_the_worker_rounds_no_direction_up_to_360() -> None:
    angle = math.radians(359.9999999999999)
    frame = pl.DataFrame({"sin": [math.sin(angle), -1e-20], "cos": [math.cos(angle), 1.0]})
    means = frame.select(by_polars.circular_mean(pl.col("sin"), pl.col("cos"))).to_series()
    assert means.is_between(0, 360, closed="left").all()
