"""T1.csv from a real broker through the real drivers, compared with what DuckDB makes of the file itself."""

from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from headrace.publish.publishing import publish
from headrace.settings import PROJECT, Settings
from headrace.tables.batches import landed_position, read_batches
from headrace.tables.queries import counts, scan
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.stages import Land, succeed, succeeded
from testbed.streams import Stream, make_stream, show

# The clock of the file is Turkey's, three hours ahead of UTC through all of 2018.
SOURCE = f"""
    SELECT row_number() OVER () AS row, strptime("Date/Time", '%d %m %Y %H:%M') AS local,
           local - INTERVAL 3 HOUR AS utc, LV_ActivePower, Wind_Speed, Theoretical_Power_Curve, Wind_Direction
    FROM read_csv('{PROJECT / "include/data/wind_turbine/T1.csv"}', all_varchar = true, header = true)
"""

SIGNALS = {
    "LV_ActivePower": "LV ActivePower (kW)",
    "Wind_Speed": "Wind Speed (m/s)",
    "Theoretical_Power_Curve": "Theoretical_Power_Curve (KWh)",
    "Wind_Direction": "Wind Direction (°)",
}

AVERAGES = {
    "LV_ActivePower": "active_power_average",
    "Wind_Speed": "wind_speed_average",
    "Theoretical_Power_Curve": "theo_power_curve_average",
    "Wind_Direction": "wind_direction_average",
}


@pytest.fixture(scope="module")
def stream(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """The wind turbine's own contract, with a topic of this module's and batches that make several."""
    definition = yaml.safe_load((PROJECT / "include/streams/wind_turbine.yaml").read_text())
    definition["topic"]["name"] = "land.wind_turbine"
    definition["landing"]["max_records_per_batch"] = 30_000
    return make_stream(tmp_path_factory.mktemp("streams"), broker.config, definition)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of both engines, which has the key of what the first has published."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def warehouse(stream: Stream, land: Land, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The tables after publish, land, analyse, and land and analyse once more."""
    root = tmp_path_factory.mktemp("ware house")
    settings = Settings(warehouse=root, home=home)
    publish(stream.contract, settings, stream.config, "a run")
    job = stream.job(root)
    for _ in range(2):
        output = succeeded(land(job)) + succeed("analyse.py", job)
        show(
            *(line for line in output.splitlines() if line.startswith(("batch", "slice", "daily", "hourly")))
        )
    assert "is landed already" in succeeded(land(job))
    return stream.warehouse(root)


def test_the_counts_are_those_of_the_file(warehouse: Warehouse) -> None:
    found = counts(warehouse)
    assert (found.readings, found.quarantine) == (50_530, {})
    assert (found.days, found.complete_days, found.hours) == (356, 324, 8_439)


def test_batches_cover_the_slice_without_a_hole(stream: Stream, warehouse: Warehouse) -> None:
    rows = read_batches(warehouse)
    assert len(rows) == 2
    assert sum(row.landed for row in rows) == 50_530
    assert landed_position(warehouse, stream.topic_id) == stream.slice_to_end().until


def test_every_row_is_landed_once_with_the_strings_of_the_file(warehouse: Warehouse) -> None:
    provenance = pl.col("provenance").struct
    readings = (
        scan(warehouse, "readings")
        .select(
            provenance.field("row"),
            pl.col("signal_date"),
            pl.col("signal_ts").dt.replace_time_zone(None),
            provenance.field("identity"),
            pl.col("signals"),
        )
        .collect()
        .to_arrow()
    )
    pairs = ", ".join(f"'{name}': {field}" for field, name in SIGNALS.items())
    expected = f"""
        SELECT row, local::DATE, utc::TIMESTAMP, '["' || strftime(local, '%d %m %Y %H:%M') || '"]',
               MAP {{{pairs}}}
        FROM ({SOURCE})
    """
    with duckdb.connect() as engine:
        engine.register("readings", readings)
        assert engine.sql(f"SELECT * FROM readings EXCEPT ALL ({expected})").fetchall() == []
        assert engine.sql(f"({expected}) EXCEPT ALL SELECT * FROM readings").fetchall() == []


def test_create_columns_are_the_instant_of_the_batch(warehouse: Warehouse) -> None:
    created = scan(warehouse, "readings").select("create_ts", "create_date").unique().collect()
    assert sorted(created["create_ts"]) == [row.started for row in read_batches(warehouse)]


def test_days_are_those_of_the_file(warehouse: Warehouse) -> None:
    days = scan(warehouse, "daily_completeness").sort("signal_date").collect()
    expected = duckdb.execute(f"""
        SELECT local::DATE, NULL, count(DISTINCT local), 144, 144 - count(DISTINCT local), min(utc), max(utc)
        FROM ({SOURCE}) GROUP BY 1 ORDER BY 1
    """).fetchall()
    naive = days.with_columns(pl.col("first", "last").dt.replace_time_zone(None))
    assert naive.rows() == expected


def test_hours_are_those_of_the_file(warehouse: Warehouse) -> None:
    hours = scan(warehouse, "hourly_average").sort("signal_hour").collect()
    averages = ", ".join(f"avg({field}::DOUBLE) AS {column}" for field, column in AVERAGES.items())
    cursor = duckdb.execute(f"""
        SELECT min(local)::DATE AS signal_date, date_trunc('hour', utc) AS signal_hour, {averages},
               degrees(atan2(avg(sin(angle)), avg(cos(angle)))) AS circular,
               CASE WHEN active_power_average < 200 THEN 'Low' WHEN active_power_average < 600 THEN 'Medium'
                    WHEN active_power_average < 1000 THEN 'High' ELSE 'Exceptional' END AS indicator,
               count(*) AS readings
        FROM (SELECT *, radians(Wind_Direction::DOUBLE) AS angle FROM ({SOURCE})) GROUP BY 2 ORDER BY 2
    """)
    names = [column[0] for column in cursor.description or ()]
    expected = pl.DataFrame(cursor.fetchall(), names, orient="row", infer_schema_length=None)
    assert hours.columns == [
        "signal_date",
        "signal_hour",
        "entity",
        "active_power_average",
        "wind_speed_average",
        "theo_power_curve_average",
        "wind_direction_average",
        "wind_direction_average_circular",
        "generation_indicator",
        "readings",
    ]
    assert list(hours["signal_date"]) == list(expected["signal_date"])
    assert list(hours["signal_hour"].dt.replace_time_zone(None)) == list(expected["signal_hour"])
    assert list(hours["generation_indicator"]) == list(expected["indicator"])
    assert list(hours["readings"]) == list(expected["readings"])
    for column in AVERAGES.values():
        assert list(hours[column]) == pytest.approx(list(expected[column]), rel=1e-9, abs=1e-12)
    circular = hours["wind_direction_average_circular"]
    assert circular.is_between(0, 360, closed="left").all()
    around = (circular - expected["circular"] + 180) % 360 - 180
    assert around.abs().is_between(0, 1e-6).all()  # an hour of opposite winds has a mean of tiny vectors
