"""Averages of any cadence and all aggregates: DuckDB computes the same of the same readings."""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from headrace.analyse.gold_schemas import gold_schemas
from headrace.analyse.transforms import added, averages, sums
from headrace.contract.model import Contract
from headrace.tables.gold_columns import averages_table
from headrace.zones import slot_begins
from testbed.parse_cases import contract

ZONE = "Europe/Berlin"
ALL = ["mean", "min", "max", "last", "sum", "count", "p5", "p50", "p95"]
QUERY = """
    SELECT make_timestamptz(CAST(epoch_us(date_trunc('day', ts)) AS BIGINT)
             + (epoch_us(ts) - epoch_us(date_trunc('day', ts))) // {size} * {size}) AS start, entity,
        avg(v), min(v), max(v), max(v) FILTER (ts = newest), sum(v), count(v),
        quantile_cont(v, 0.05), quantile_cont(v, 0.5), quantile_cont(v, 0.95), count(*)
    FROM (SELECT *, max(ts) FILTER (v IS NOT NULL) OVER (PARTITION BY entity,
             epoch_us(date_trunc('day', ts)),
             (epoch_us(ts) - epoch_us(date_trunc('day', ts))) // {size}) AS newest FROM readings)
    GROUP BY ALL ORDER BY ALL
"""


def _contract(every: str, **analysis: Any) -> Contract:
    shape = contract().record.model_dump(mode="json")
    shape["event_time"] |= {"timezone": ZONE}
    shape["signals"] = [{"name": "v", "fields": ["v"]}, {"name": "d", "fields": ["d"]}]
    return contract(record=shape, analysis={"every": every} | analysis)


def _readings(seed: int, count: int = 2_000) -> list[tuple[datetime, str, float | None]]:
    """Of four days about the change to summer time, which has one of 23 hours; some at the same time."""
    rng = random.Random(seed)
    start = datetime(2018, 3, 23, 22, tzinfo=UTC)
    minutes = [rng.randrange(0, 4 * 24 * 60) for _ in range(count)]
    values = [None if rng.random() < 0.1 else round(rng.uniform(-50, 50), 2) for _ in range(count)]
    entities = [rng.choice("ab") for _ in range(count)]
    times = (start + timedelta(minutes=each) for each in minutes)
    return list(zip(times, entities, values, strict=True))


def _frame(rows: list[tuple[datetime, str, float | None]]) -> pl.DataFrame:
    table = pa.table(
        {
            "signal_date": [at.astimezone(ZoneInfo(ZONE)).date() for at, _, _ in rows],
            "signal_ts": pa.array([at for at, _, _ in rows], pa.timestamp("us", "UTC")),
            "entity": [entity for _, entity, _ in rows],
            "signals": pa.array(
                [[("v", None if v is None else str(v))] for _, _, v in rows],
                pa.map_(pa.string(), pa.string()),
            ),
        }
    )
    return pl.DataFrame(table)


# Of PT6H the last slot of the short day is left out: DuckDB has no such rule.
@pytest.mark.parametrize(
    ("every", "size"), [("PT15M", 900), ("PT1H", 3_600), ("PT2H", 7_200), ("P1D", 90_000)]
)
@pytest.mark.parametrize("pieces", [1, 7])
def test_every_aggregate_is_what_duckdb_makes(every: str, size: int, pieces: int) -> None:
    of = _contract(every, aggregates={"v": ALL, "d": []})
    rows = _readings(seed=pieces)
    step = -(-len(rows) // pieces)
    parts = [sums(_frame(rows[start : start + step]), of) for start in range(0, len(rows), step)]
    made = averages(added(parts), of).to_arrow().cast(gold_schemas(of)[averages_table(of)])
    start = "signal_hour" if every == "PT1H" else "signal_start"
    assert made.column_names == [
        *("signal_date", start, "entity", "v", "v_min", "v_max", "v_last", "v_sum", "v_count"),
        *("v_p5", "v_p50", "v_p95", "readings"),
    ]
    with duckdb.connect() as base:
        base.execute(f"SET TimeZone = '{ZONE}'")
        base.execute("CREATE TABLE readings (ts TIMESTAMPTZ, entity VARCHAR, v DOUBLE)")
        base.executemany("INSERT INTO readings VALUES (?, ?, ?)", rows)
        expected = base.execute(QUERY.format(size=size * 1_000_000)).fetchall()
    found = [
        tuple(row.values())[1:]
        for row in made.sort_by([(start, "ascending"), ("entity", "ascending")]).to_pylist()
    ]
    assert [row[:2] for row in found] == [(begin.astimezone(UTC), entity) for begin, entity, *_ in expected]
    for own, other in zip(found, expected, strict=True):
        assert [value is None for value in own] == [value is None for value in other]
        numbers = [value for value in other[2:] if value is not None]
        assert [value for value in own[2:] if value is not None] == pytest.approx(numbers, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("zone", "day", "every", "hours"),
    [
        ("Europe/Berlin", "2018-03-25", "PT6H", [0, 6, 12, 18]),  # 23 hours: the last slot has five
        ("Europe/Berlin", "2018-10-28", "PT6H", [0, 6, 12, 18]),  # 25 hours: the last slot has seven
        ("Europe/Berlin", "2018-10-28", "P1D", [0]),
        ("Australia/Lord_Howe", "2018-10-07", "PT12H", [0, 12]),
        ("America/Sao_Paulo", "2018-11-04", "PT8H", [0, 8, 16]),  # the day begins at one
    ],
)
def test_slots_are_counted_from_the_days_beginning(zone: str, day: str, every: str, hours: list[int]) -> None:
    of_zone = ZoneInfo(zone)
    midnight = datetime.fromisoformat(day).replace(tzinfo=of_zone).astimezone(UTC)
    minutes = [midnight + timedelta(minutes=each) for each in range(26 * 60)]
    inside = [at for at in minutes if at.astimezone(of_zone).date().isoformat() == day]
    size = timedelta(hours={"PT6H": 6, "P1D": 24, "PT12H": 12, "PT8H": 8}[every])
    found = slot_begins(pl.Series(inside, dtype=pl.Datetime("us", "UTC")), zone, size)
    assert [int((at - midnight) / timedelta(hours=1)) for at in found.unique().sort()] == hours


def test_several_indicators_have_a_column_each() -> None:
    bands = {"low": 0, "high": None}
    indicators = [
        {"name": "one", "signal": "v", "bands": bands},
        {"name": "two", "signal": "d", "bands": bands},
    ]
    of = _contract("P1D", aggregates={"v": ["max"]}, indicator=indicators)
    frame = _frame(
        [(datetime(2018, 1, 1, 12, tzinfo=UTC), "a", -3.0), (datetime(2018, 1, 1, 13, tzinfo=UTC), "a", 1.0)]
    )
    (row,) = averages(sums(frame, of), of).to_dicts()
    assert (row["v_max"], row["one"], row["two"], row["d"]) == (1.0, "low", None, None)
    assert "v" not in row


def test_directions_are_averaged_as_vectors_where_it_is_asked() -> None:
    of = _contract("PT1H", aggregates={"v": ["circular_mean"]})
    frame = _frame([(datetime(2018, 1, 1, 12, at, tzinfo=UTC), "a", v) for at, v in enumerate((350.0, 20.0))])
    (row,) = averages(sums(frame, of), of).to_dicts()
    assert math.isclose(row["v_circular"], 5.0, abs_tol=1e-9)
