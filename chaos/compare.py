"""The tables compared with the file, row by row, by DuckDB, which knows nothing of offsets and batches."""

import math
from dataclasses import dataclass
from pathlib import Path

import duckdb

from headrace.tables.warehouse import Warehouse
from testbed.answers import ANSWERS, AVERAGES, register

DAILY = 'signal_date, distinct_signal_ts, expected, missing, "first", "last"'
HOURLY = "signal_date, signal_hour, generation_indicator, readings"
READING = "signal_date, signal_ts, cast(signals as map(varchar, varchar)) as signals"
SPEED = "Wind Speed (m/s)"

EXPECTED = f"""
create view rows as
    select *, "Wind_Speed"::double <= getvariable('fastest') as good,
        row_number() over (partition by "Date/Time") as coming
    from source;

create view expected_quarantine as
    select case when good then 'duplicate' else 'out_of_range' end as reason, "Date/Time" as identity
    from rows where coming > 1 or not good;

create view expected_landed as
    select distinct {READING} from expected_readings
    where signals['{SPEED}']::double <= getvariable('fastest');
"""
REFUSED = "reason, provenance.identity::json ->> '$[0]' as identity"
COMING_AGAIN = (
    "select * from expected_quarantine union all select 'duplicate', \"Date/Time\" from rows where good"
)
"""What `quarantine` may hold of rows that were published more than once, each as often as it came."""


@dataclass(frozen=True)
class Comparison:
    """How the tables differ from the file, in rows.

    `lost`: rows of the file that the table where they belong has not: `readings` as they stand in the file,
    `quarantine` by identity and reason. `doubled`: rows of both that the file has not, or not as often; a
    record that was published twice is one of `quarantine`. `gold`: rows of the gold tables that differ from
    DuckDB's.
    """

    lost: int
    doubled: int
    gold: int = 0


def compare(
    source: Path,
    warehouse: Warehouse,
    gold: bool = False,
    fastest: float | None = None,
    comes_again: bool = False,
) -> Comparison:
    """Compare; an absent table is an empty one. Rows with more wind than `fastest` belong into quarantine.

    `comes_again`: rows may have been published more than once; how often only reconcile can tell.
    """
    db = duckdb.connect()
    db.execute("set variable file = ?", [str(source)])
    db.execute("set variable fastest = ?", [math.inf if fastest is None else fastest])
    db.execute(ANSWERS)
    db.execute(EXPECTED)
    _register(
        db, warehouse, "readings", "signal_date date, signal_ts timestamp, signals map(varchar, varchar)"
    )
    _register(db, warehouse, "quarantine", "reason varchar, provenance struct(identity varchar)")
    landed, refused = f"select {READING} from readings", f"select {REFUSED} from quarantine"
    lost = _beyond(db, "from expected_landed", landed) + _beyond(db, "from expected_quarantine", refused)
    doubled = _beyond(db, landed, "from expected_landed")
    if comes_again:
        doubled += _count(db, f"({refused}) except ({COMING_AGAIN})")
    else:
        doubled += _beyond(db, refused, "from expected_quarantine")
    return Comparison(lost, doubled, _gold(db, warehouse) if gold else 0)


def _gold(db: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> int:
    for name, like in (("daily_completeness", "expected_daily"), ("hourly_average", "expected_hourly")):
        if warehouse.exists(name):
            register(db, warehouse, name)
        else:
            db.execute(f"create table {name} as select * from {like} limit 0")
    differing = 0
    for columns, found, expected in (
        (DAILY, "daily_completeness", "expected_daily"),
        (HOURLY, "hourly_average", "expected_hourly"),
    ):
        ours, theirs = (f"select {columns} from {name}" for name in (found, expected))
        differing += _beyond(db, ours, theirs) + _beyond(db, theirs, ours)
    apart = " or ".join(
        f"a.{name} is null or abs(a.{name} - e.{name}) > 1e-9 * greatest(abs(e.{name}), 1e-9)"
        for name in AVERAGES
    )
    join = "hourly_average a join expected_hourly e using (signal_hour)"
    return differing + _count(db, f"select * from {join} where {apart}")


def _register(db: duckdb.DuckDBPyConnection, warehouse: Warehouse, name: str, if_absent: str) -> None:
    if warehouse.exists(name):
        register(db, warehouse, name)
    else:
        db.execute(f"create table {name} ({if_absent})")


def _beyond(db: duckdb.DuckDBPyConnection, these: str, those: str) -> int:
    """How many rows `these` have beyond `those`; each counts as often as it stands there."""
    return _count(db, f"({these}) except all ({those})")


def _count(db: duckdb.DuckDBPyConnection, query: str) -> int:
    ((number,),) = db.execute(f"select count(*) from ({query})").fetchall()
    return int(number)
