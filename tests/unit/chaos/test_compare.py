"""The comparison finds lost, doubled, changed and refused rows in tables that plain Python has made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from chaos.compare import Comparison, compare
from chaos.world import T1
from headrace.tables.warehouse import Warehouse
from testbed.answers import ANSWERS

NAMES = (
    "LV ActivePower (kW)",
    "Wind Speed (m/s)",
    "Theoretical_Power_Curve (KWh)",
    "Wind Direction (°)",
)
ROWS = 50
DAILY_IN_UTC = '* replace ("first"::timestamptz as "first", "last"::timestamptz as "last")'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "T1.csv"
    file.write_bytes(b"".join(T1.read_bytes().splitlines(keepends=True)[: ROWS + 1]))
    return file


@pytest.fixture
def readings(source: Path) -> list[dict[str, Any]]:
    """What `readings` must hold of the source."""
    return [_reading(line) for line in source.read_text("utf-8-sig").splitlines()[1:]]


def _reading(line: str) -> dict[str, Any]:
    time, *values = line.split(",")
    local = datetime.strptime(time, "%d %m %Y %H:%M").replace(tzinfo=UTC)
    return {
        "signal_date": local.date(),
        "signal_ts": local - timedelta(hours=3),
        "signals": list(zip(NAMES, values, strict=True)),
    }


SCHEMA = pa.schema(
    [
        ("signal_date", pa.date32()),
        ("signal_ts", pa.timestamp("us", tz="UTC")),
        ("signals", pa.map_(pa.string(), pa.string())),
    ]
)


def _compared(source: Path, rows: list[dict[str, Any]]) -> Comparison:
    warehouse = Warehouse(source.parent / "warehouse", "w")
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    write_deltalake(str(warehouse.table("readings")), table, mode="overwrite")
    return compare(source, warehouse)


def test_what_is_right_has_no_difference(source: Path, readings: list[dict[str, Any]]) -> None:
    assert _compared(source, readings) == Comparison(lost=0, doubled=0)


def test_a_lost_row_is_found(source: Path, readings: list[dict[str, Any]]) -> None:
    assert _compared(source, readings[:7] + readings[8:]) == Comparison(lost=1, doubled=0)


def test_a_doubled_row_is_found(source: Path, readings: list[dict[str, Any]]) -> None:
    assert _compared(source, [*readings, readings[7], readings[7]]) == Comparison(lost=0, doubled=2)


def test_a_lost_row_does_not_make_up_for_a_doubled_one(source: Path, readings: list[dict[str, Any]]) -> None:
    assert _compared(source, [*readings[1:], readings[1]]) == Comparison(lost=1, doubled=1)


def test_a_number_that_is_written_otherwise_is_another_row(
    source: Path, readings: list[dict[str, Any]]
) -> None:
    name, value = readings[0]["signals"][0]
    readings[0]["signals"][0] = (name, f"{value}0")
    assert _compared(source, readings) == Comparison(lost=1, doubled=1)


def test_tables_that_are_not_there_have_lost_everything(source: Path) -> None:
    assert compare(source, Warehouse(source.parent, "none")) == Comparison(lost=ROWS, doubled=0)


def test_gold_tables_that_are_not_there_lack_every_row(source: Path, readings: list[dict[str, Any]]) -> None:
    _compared(source, readings)
    days = {row["signal_date"] for row in readings}
    hours = {row["signal_ts"].replace(minute=0) for row in readings}
    found = compare(source, Warehouse(source.parent / "warehouse", "w"), gold=True)
    assert found == Comparison(lost=0, doubled=0, gold=len(days) + len(hours))


def _quarantine(source: Path, *refused: tuple[str, str]) -> None:
    rows = [{"reason": reason, "provenance": {"identity": f'["{time}"]'}} for reason, time in refused]
    table = Warehouse(source.parent / "warehouse", "w").table("quarantine")
    write_deltalake(str(table), pa.Table.from_pylist(rows), mode="overwrite")


def test_a_record_in_quarantine_counts_as_doubled(source: Path, readings: list[dict[str, Any]]) -> None:
    _quarantine(source, ("duplicate", "01 01 2018 00:00"))
    assert _compared(source, readings) == Comparison(lost=0, doubled=1)


def test_quarantine_is_held_against_the_rows_that_belong_there(
    source: Path, readings: list[dict[str, Any]]
) -> None:
    """Rows above the bound, and the second coming of a row that is below it."""
    lines = source.read_text("utf-8-sig").splitlines()
    slow = next(at for at, row in enumerate(readings) if float(row["signals"][1][1]) <= 6)
    fast = [("out_of_range", line.split(",")[0]) for line in lines[1:] if float(line.split(",")[2]) > 6]
    source.write_text("\n".join([*lines, lines[slow + 1]]) + "\n", encoding="utf-8-sig")
    right = [*fast, ("duplicate", lines[slow + 1].split(",")[0])]
    good = [row for row in readings if float(row["signals"][1][1]) <= 6]
    warehouse = Warehouse(source.parent / "warehouse", "w")
    for refused, difference in (
        (right, Comparison(0, 0)),
        (right[1:], Comparison(lost=1, doubled=0)),
        ([*right, right[0]], Comparison(lost=0, doubled=1)),
        ([*right[:-1], ("conflict", right[-1][1])], Comparison(lost=1, doubled=1)),
    ):
        _quarantine(source, *refused)
        _compared(source, good)
        assert compare(source, warehouse, fastest=6.0) == difference


def test_gold_tables_are_held_against_the_file(source: Path, readings: list[dict[str, Any]]) -> None:
    warehouse = Warehouse(source.parent / "warehouse", "w")
    right = duckdb.connect()
    right.execute("set variable file = ?", [str(source)])
    right.execute(ANSWERS)
    right.execute("set timezone = 'UTC'")
    for name, view in (("daily_completeness", "expected_daily"), ("hourly_average", "expected_hourly")):
        columns = "* replace (signal_hour::timestamptz as signal_hour)" if "hour" in name else DAILY_IN_UTC
        rows = right.sql(f"select {columns} from {view} order by all").arrow().read_all()
        write_deltalake(str(warehouse.table(name)), rows)
    _compared(source, readings)
    assert compare(source, warehouse, gold=True) == Comparison(lost=0, doubled=0, gold=0)
    hours = DeltaTable(str(warehouse.table("hourly_average")))
    hours.delete("readings < 6")
    left = hours.to_pyarrow_table().num_rows
    missing = right.execute("select count(*) from expected_hourly").fetchall()[0][0] - left
    assert missing > 0
    assert compare(source, warehouse, gold=True) == Comparison(lost=0, doubled=0, gold=missing)
