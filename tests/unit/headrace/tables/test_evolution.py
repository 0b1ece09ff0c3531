"""Typed columns: what they hold, how they grow, what is refused; other engines read them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable

from headrace import crash_points
from headrace.analyse.engines import analyse_here
from headrace.contract.model import Contract
from headrace.errors import ColumnsDiffer
from headrace.tables import compaction
from headrace.tables.attempt import Attempt
from headrace.tables.commits import open_table
from headrace.tables.compaction import compact
from headrace.tables.creation import create_tables
from headrace.tables.evolution import fit_columns
from headrace.tables.names import HOURLY_AVERAGE, QUARANTINE, READINGS
from headrace.tables.queries import last_readings, scan
from headrace.tables.signal_values import signal_values
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import land_values
from testbed.parse_cases import contract

POWER = {"name": "Power (kW)", "fields": ["p"]}
SIGNALS: list[dict[str, Any]] = [
    POWER,
    {"name": "count", "fields": ["n"], "type": "integer"},
    {"name": "on", "fields": ["on"], "type": "boolean"},
    {"name": "price", "fields": ["price"], "type": "decimal(6, 2)"},
    {"name": "mass", "fields": ["mass"], "type": "decimal(30, 2)"},
    {"name": "word", "fields": ["word"], "type": "string"},
    {"name": "list", "fields": ["list"], "type": "array"},
    {"name": "seen", "fields": ["seen"], "type": "timestamp"},
]
FIRST = (
    b'{"time": "01 01 2018 00:10", "p": "1e1", "n": 9007199254740993, "on": "True", "price": "-0.10", '
    b'"mass": "1234567890123456789012345678.91", "word": "", "list": [1, "a"], "seen": '
    b'"2020-01-01T01:00+01:00", "other": 1.50}'
)
SECOND = b'{"time": "01 01 2018 00:20", "p": -2.5, "n": 7, "on": false, "word": "NA", "mass": 1}'


def typed(signals: list[dict[str, Any]] = SIGNALS, columns: str = "typed") -> Contract:
    shape = contract().record.model_dump(mode="json") | {"signals": signals}
    return contract(record=shape, landing={"columns": columns})


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path, "small")
    made.prepare()
    return made


def land(warehouse: Warehouse, of: Contract, batch: int, start: int, *values: bytes) -> None:
    """As `land` does: the tables, their columns, the batch."""
    create_tables(warehouse, of)
    fit_columns(warehouse, of)
    land_values(Attempt(of, warehouse, "r"), batch, start, *values)


def asked(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    """What DuckDB answers of `readings`, given the dataset that its predicates are pushed into."""
    readings: ds.Dataset = DeltaTable(warehouse.table(READINGS)).to_pyarrow_dataset()
    with duckdb.connect() as base:
        base.register("readings", readings)
        return base.execute(query).fetchall()


def test_each_signal_is_a_column_of_its_type(warehouse: Warehouse) -> None:
    land(warehouse, typed(), 0, 0, FIRST, SECOND, b'{"time": "01 01 2018 00:30", "n": "1.5"}')
    rows = scan(warehouse, READINGS).sort("signal_ts").collect()
    names = ["signal_date", "signal_ts", "create_date", "create_ts", "Power__kW_", "count", "on", "price"]
    assert rows.columns == [*names, "mass", "word", "list", "seen", "others", "entity", "provenance"]
    first, second = rows.select(rows.columns[4:13]).rows()
    assert first == (
        10.0,
        9007199254740993,
        True,
        Decimal("-0.10"),
        Decimal("1234567890123456789012345678.91"),
        "",
        '[1,"a"]',
        datetime(2020, 1, 1, 0, 0, tzinfo=UTC),
        {"other": "1.50"},
    )
    assert second == (-2.5, 7, False, None, Decimal("1.00"), "NA", None, None, {})
    assert scan(warehouse, QUARANTINE).collect()["reason"].to_list() == ["wrong_type"]


@pytest.mark.parametrize("compacted", [False, True])
def test_predicates_find_what_is_there(
    warehouse: Warehouse, compacted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(warehouse, typed(), 0, 0, FIRST)
    land(warehouse, typed(), 1, 1, SECOND)
    if compacted:
        monkeypatch.setattr(compaction, "EVERY", 1)
        compact(warehouse.table(READINGS))
        assert len(DeltaTable(warehouse.table(READINGS)).file_uris()) == 1
    for where in (
        "Power__kW_ >= 10",
        "Power__kW_ < 0",
        "count > 9007199254740992",
        "count = 7",
        '"on"',
        'not "on"',
        "price <= -0.1",
        "mass > 1234567890123456789012345678.9",
        "mass = 1",
        "word = ''",
        "word >= 'N'",
        "seen >= TIMESTAMPTZ '2020-01-01 00:00:00Z'",
        "others['other'] = '1.50'",
    ):
        assert asked(warehouse, f"SELECT count(*) FROM readings WHERE {where}") == [(1,)], where


def test_files_are_passed_over_by_a_signals_bounds(warehouse: Warehouse) -> None:
    land(warehouse, typed(), 0, 0, FIRST)
    land(warehouse, typed(), 1, 1, SECOND)
    files = pl.DataFrame(pa.table(DeltaTable(warehouse.table(READINGS)).get_add_actions(flatten=True)))
    bounds = files.sort("min.Power__kW_").select("min.Power__kW_", "max.count", "min.word", "min.price")
    assert bounds.rows() == [(-2.5, 7, "NA", None), (10.0, 9007199254740993, "", Decimal("-0.10"))]


def test_a_new_signal_adds_a_column(warehouse: Warehouse) -> None:
    land(warehouse, typed([POWER]), 0, 0, b'{"time": "01 01 2018 00:10", "p": 1, "word": "a"}')
    version = open_table(warehouse.table(READINGS)).version()
    more = typed([*SIGNALS, {"name": "température °C", "fields": ["t"]}])
    land(warehouse, more, 1, 1, b'{"time": "01 01 2018 00:20", "p": 3, "word": "b", "t": 21.5}')
    land(warehouse, more, 2, 2, b'{"time": "01 01 2018 00:30", "p": 5, "word": "c"}')
    history = open_table(warehouse.table(READINGS)).history()
    assert [each["operation"] for each in history if each["version"] > version] == [
        "WRITE",
        "WRITE",
        "SET TBLPROPERTIES",
        "ADD COLUMN",
    ]
    rows = asked(warehouse, "SELECT word, others['word'], température__C FROM readings ORDER BY signal_ts")
    assert rows == [(None, "a", None), ("b", None, 21.5), ("c", None, None)]
    newest = last_readings(more, warehouse, 2)
    assert [(row["word"], row["Power__kW_"]) for row in newest] == [("c", 5.0), ("b", 3.0)]


def test_whoever_is_killed_behind_a_new_column_has_done_no_harm(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(warehouse, typed([POWER]), 0, 0, SECOND)
    more = typed([POWER, {"name": "count", "fields": ["n"], "type": "integer"}])

    def killed(name: str) -> Iterator[None]:
        raise KeyboardInterrupt(name)

    with monkeypatch.context() as patched:
        patched.setattr("headrace.tables.evolution.crash_point", killed)
        with pytest.raises(KeyboardInterrupt, match=r"land\.after_columns"):
            fit_columns(warehouse, more)
    assert crash_points.crash_point is not killed
    land(warehouse, more, 1, 1, b'{"time": "01 01 2018 00:30", "n": 9}')
    fields = [field.name for field in open_table(warehouse.table(READINGS)).schema().fields]
    assert fields.count("count") == 1
    assert asked(warehouse, "SELECT signal_ts FROM readings WHERE count > 8") != []


def test_a_renamed_signal_goes_on_in_its_column(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    land(warehouse, typed([POWER]), 0, 0, b'{"time": "01 01 2018 00:10", "p": 1}')
    renamed = typed([{"name": "active power", "fields": ["p"], "column": "Power__kW_"}])
    land(warehouse, renamed, 1, 1, b'{"time": "01 01 2018 00:20", "p": 3}')
    assert asked(warehouse, "SELECT sum(Power__kW_), count(*) FROM readings") == [(4.0, 2)]
    analyse_here(Attempt(renamed, warehouse, "r"))
    assert scan(warehouse, HOURLY_AVERAGE).collect()["active_power"].to_list() == [2.0]
    forgotten = typed([{"name": "active power", "fields": ["p"]}])
    fit_columns(warehouse, forgotten)
    assert "columns Power__kW_ are no signal's any more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after"), [("double", "integer"), ("integer", "double"), ("decimal(6, 2)", "decimal(8, 2)")]
)
def test_a_type_never_changes(warehouse: Warehouse, before: str, after: str) -> None:
    land(warehouse, typed([POWER | {"type": before}]), 0, 0, b'{"time": "01 01 2018 00:10", "p": 1}')
    changed = typed([POWER | {"type": after}])
    with pytest.raises(
        ColumnsDiffer, match=r"column 'Power__kW_' holds .* Nothing was landed.* `column: Power"
    ):
        fit_columns(warehouse, changed)
    with pytest.raises(ColumnsDiffer):
        analyse_here(Attempt(changed, warehouse, "r"))
    beside = typed([POWER | {"type": after, "column": "power_2"}])
    land(warehouse, beside, 1, 1, b'{"time": "01 01 2018 00:20", "p": 3}')
    assert asked(warehouse, "SELECT Power__kW_, power_2 FROM readings ORDER BY signal_ts") == [
        (1, None),
        (None, 3),
    ]


@pytest.mark.parametrize(("made", "asked_for"), [("map", "typed"), ("typed", "map")])
def test_map_and_columns_are_not_exchanged(warehouse: Warehouse, made: str, asked_for: str) -> None:
    land(warehouse, typed(columns=made), 0, 0, SECOND)
    for work in (fit_columns, lambda w, c: analyse_here(Attempt(c, w, "r"))):
        with pytest.raises(ColumnsDiffer, match=rf"columns: {made}`, and the contract says {asked_for}"):
            work(warehouse, typed(columns=asked_for))


def test_numbers_for_a_picture_come_of_older_files_too(warehouse: Warehouse) -> None:
    for batch in range(3):
        of = typed([POWER] if batch < 2 else SIGNALS)
        land(
            warehouse,
            of,
            batch,
            batch,
            b'{"time": "0%d 01 2018 00:10", "p": %d, "n": 4}' % (batch + 1, batch),
        )
    for most in (100, 2):
        found = signal_values(warehouse, ["Power (kW)", "count", "absent"], most, record=typed().record)
        assert found.schema == dict.fromkeys(found.columns, pl.Float64)
        assert set(found["count"].to_list()) <= {None, 4.0}
        assert found["absent"].null_count() == len(found)
    assert date(2018, 1, 1) in scan(warehouse, READINGS).collect()["signal_date"].to_list()
