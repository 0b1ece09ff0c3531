"""The right answers, computed by DuckDB straight from the source file, and the tables compared with them."""

import duckdb
from deltalake import DeltaTable

from headrace.settings import PROJECT
from headrace.tables.warehouse import Warehouse

SOURCE = PROJECT / "include" / "data" / "wind_turbine" / "T1.csv"
TABLES = ("readings", "quarantine", "daily_completeness", "hourly_average", "batches", "ledger")

# Turkey is at UTC+3 all of 2018; the tables hold instants.
ANSWERS = """
create view source as
    select strptime("Date/Time", '%d %m %Y %H:%M') as local_ts, local_ts - interval 3 hour as instant, *
    from read_csv(getvariable('file'), header = true, all_varchar = true);

create view expected_readings as
    select cast(local_ts as date) as signal_date, instant as signal_ts, map {
        'LV ActivePower (kW)': "LV_ActivePower",
        'Wind Speed (m/s)': "Wind_Speed",
        'Theoretical_Power_Curve (KWh)': "Theoretical_Power_Curve",
        'Wind Direction (°)': "Wind_Direction"
    } as signals
    from source;

create view expected_daily as
    select cast(local_ts as date) as signal_date, count(distinct local_ts) as distinct_signal_ts,
        144 as expected, 144 - count(distinct local_ts) as missing,
        min(instant) as "first", max(instant) as "last"
    from source group by all;

create view expected_hourly as
    select cast(local_ts as date) as signal_date,
        date_trunc('hour', local_ts) - interval 3 hour as signal_hour,
        avg("LV_ActivePower"::double) as active_power_average,
        avg("Wind_Speed"::double) as wind_speed_average,
        avg("Theoretical_Power_Curve"::double) as theo_power_curve_average,
        avg("Wind_Direction"::double) as wind_direction_average,
        case when active_power_average < 200 then 'Low' when active_power_average < 600 then 'Medium'
            when active_power_average < 1000 then 'High' else 'Exceptional' end as generation_indicator,
        count(*) as readings
    from source group by all;
"""


def answers(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the expected views beside the tables of the warehouse, instants without a zone."""
    db = duckdb.connect()
    db.execute("set variable file = ?", [str(SOURCE)])
    db.execute(ANSWERS)
    for name in filter(warehouse.exists, TABLES):
        register(db, warehouse, name)
    return db


def register(db: duckdb.DuckDBPyConnection, warehouse: Warehouse, name: str) -> None:
    """The table of that name as a view, its instants without a zone."""
    table = DeltaTable(str(warehouse.table(name))).to_pyarrow_table()
    db.register(f"{name}_", table)
    # A zone is only how an instant is shown: with UTC, casting one away keeps the instant.
    db.execute("set timezone = 'UTC'")
    instants = [
        f'cast("{field.name}" as timestamp) as "{field.name}"'
        for field in table.schema
        if str(field.type).startswith("timestamp")
    ]
    replaced = f"replace ({', '.join(instants)})" if instants else ""
    db.execute(f"create view {name} as select * {replaced} from {name}_")


ROWS = 50_530
AVERAGES = (
    "active_power_average",
    "wind_speed_average",
    "theo_power_curve_average",
    "wind_direction_average",
)


def assert_right(warehouse: Warehouse) -> None:
    """All three tables of the analysis are right."""
    assert_readings(warehouse)
    assert_daily(warehouse)
    assert_hourly(warehouse)


def assert_readings(warehouse: Warehouse) -> None:
    """`readings` is the source's rows, each once."""
    db = answers(warehouse)
    columns = "signal_date, signal_ts, cast(signals as map(varchar, varchar)) as signals"
    assert differences(db, columns, "readings", "expected_readings") == []
    assert db.execute("select count(*), count(distinct signal_ts) from readings").fetchall() == [(ROWS, ROWS)]


def assert_daily(warehouse: Warehouse) -> None:
    """`daily_completeness` is right."""
    db = answers(warehouse)
    columns = 'signal_date, distinct_signal_ts, expected, missing, "first", "last"'
    assert differences(db, columns, "daily_completeness", "expected_daily") == []
    days = db.execute("select count(*), count(*) filter (missing = 0) from daily_completeness").fetchall()
    assert days == [(356, 324)]


def assert_hourly(warehouse: Warehouse) -> None:
    """`hourly_average` is right, its averages to nine digits: engines add up in different orders."""
    db = answers(warehouse)
    exact = "signal_date, signal_hour, generation_indicator, readings"
    assert differences(db, exact, "hourly_average", "expected_hourly") == []
    assert db.execute("select count(*) from hourly_average").fetchone() == (8_439,)
    for column in AVERAGES:
        apart = db.execute(
            f"select signal_hour, a.{column}, e.{column} from hourly_average a join expected_hourly e "
            f"using (signal_hour) where a.{column} is null "
            f"or abs(a.{column} - e.{column}) > 1e-9 * greatest(abs(e.{column}), 1e-9)"
        ).fetchall()
        assert apart == []


def differences(db: duckdb.DuckDBPyConnection, columns: str, found: str, expected: str) -> list[object]:
    """Rows that one has and the other has not, the first few; each row counts as often as it stands there."""
    one, other = (f"select {columns} from {view}" for view in (found, expected))
    query = f"(({one}) except all ({other})) union all (({other}) except all ({one})) limit 5"
    return list(db.execute(query).fetchall())
