"""Analysis without a JVM: the wind turbine's tables are right, and pieces make the same as the whole."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.analyse import worker
from headrace.analyse.analysis import Part
from headrace.analyse.engines import analyse_here
from headrace.analyse.worker import analyse_in_worker
from headrace.contract.loader import load_contract
from headrace.settings import PROJECT
from headrace.tables.attempt import Attempt
from headrace.tables.commits import open_table
from headrace.tables.creation import create_tables
from headrace.tables.names import DAILY_COMPLETENESS, HOURLY_AVERAGE, READINGS
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse
from testbed.answers import assert_daily, assert_hourly
from testbed.landed_batches import land_source, land_values
from testbed.parse_cases import contract

WIND_TURBINE = PROJECT / "include" / "streams" / "wind_turbine.yaml"


@pytest.fixture(scope="module")
def turbine(tmp_path_factory: pytest.TempPathFactory) -> Attempt:
    """The readings of T1.csv, landed and analysed."""
    attempt = Attempt(
        load_contract(WIND_TURBINE), Warehouse(tmp_path_factory.mktemp("t1"), "wind_turbine"), "r"
    )
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    land_source(attempt)
    analyse_here(attempt)
    return attempt


def test_the_wind_turbines_tables_are_right(turbine: Attempt) -> None:
    assert_daily(turbine.warehouse)
    assert_hourly(turbine.warehouse)


def test_columns_say_what_they_hold(turbine: Attempt) -> None:
    fields = open_table(turbine.warehouse.table(HOURLY_AVERAGE)).schema().fields
    comments = {field.name: field.metadata["comment"] for field in fields}
    assert comments["wind_direction_average"] == "average of Wind Direction (°)"
    assert comments["generation_indicator"] == "band of the average of LV ActivePower (kW)"


def test_a_few_days_at_a_time_in_small_pieces_make_the_same(
    turbine: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = open_table(turbine.warehouse.table(READINGS)).version()
    whole = analyse_in_worker(turbine, Part(version, None, -1))
    monkeypatch.setattr(worker, "ROWS_OF_DAYS", 1_000)
    monkeypatch.setattr(worker, "ROWS_AT_ONCE", 100)
    pieces = analyse_in_worker(turbine, Part(version, None, -1))
    days = (date(2018, 1, 1), date(2018, 2, 1), date(2018, 12, 31))
    some = analyse_in_worker(turbine, Part(version, days, 0))
    for table, time in ((DAILY_COMPLETENESS, "signal_date"), (HOURLY_AVERAGE, "signal_hour")):
        rows = whole[table].sort_by(time).to_pylist()
        assert [*_close(pieces[table].sort_by(time).to_pylist())] == [*_close(rows)]
        wanted = [row for row in rows if row["signal_date"] in days]
        assert [*_close(some[table].sort_by(time).to_pylist())] == [*_close(wanted)]


def _close(rows: list[dict[str, Any]]) -> Any:
    """To nine digits: pieces add up in another order."""
    for row in rows:
        yield {
            name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in row.items()
        }


def _at(time: datetime) -> bytes:
    return f'{{"time": "{time:%d %m %Y %H:%M}"}}'.encode()


def test_slots_are_counted_that_have_a_reading_and_not_readings(tmp_path: Path) -> None:
    """Case 25: a reading every half hour of half a day, where one an hour is promised."""
    shape = contract().record.model_dump(mode="json")
    shape["event_time"]["every"] = "PT1H"
    attempt = Attempt(contract(record=shape), Warehouse(tmp_path, "small"), "a run")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    half_hours = [datetime(2018, 1, 1) + timedelta(minutes=30 * number) for number in range(24)]  # noqa: DTZ001
    land_values(attempt, 0, 0, *map(_at, half_hours))
    analyse_here(attempt)
    days = scan(attempt.warehouse, DAILY_COMPLETENESS).select("distinct_signal_ts", "expected", "missing")
    assert days.collect().rows() == [(24, 24, 12)]
