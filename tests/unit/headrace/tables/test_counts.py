"""What the log says of rows is what another engine counts in them, whatever was done to the table."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from deltalake.transaction import AddAction

from headrace.contract.loader import load_contract
from headrace.settings import PROJECT
from headrace.tables import queries
from headrace.tables.batches import append_batch, newest_batches
from headrace.tables.commits import open_table
from headrace.tables.creation import create_table
from headrace.tables.names import (
    BATCHES,
    DAILY_COMPLETENESS,
    HOURLY_AVERAGE,
    QUARANTINE,
    READINGS,
)
from headrace.tables.signal_values import signal_values
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch
from testbed.parse_cases import contract as small

LONG = "a reason of more characters than a bound has: "
BEGIN = datetime(2018, 1, 1, tzinfo=UTC)


def refuse(warehouse: Warehouse, *reasons: str | None) -> None:
    write_deltalake(
        warehouse.table(QUARANTINE), pa.table({"reason": pa.array(reasons, pa.string())}), mode="append"
    )


def add_file(warehouse: Warehouse, reasons: Sequence[str], statistics: str) -> None:
    """A file of a writer that says of it what `statistics` says."""
    path, rows = warehouse.table(QUARANTINE), pa.table({"reason": reasons})
    pq.write_table(rows, path / "foreign.parquet")
    size = (path / "foreign.parquet").stat().st_size
    table = open_table(path)
    table.create_write_transaction(
        [AddAction("foreign.parquet", size, {}, 0, True, statistics)], "append", table.schema()
    )


def counted(warehouse: Warehouse) -> dict[str, int]:
    """Refused records by reason, by DuckDB."""
    with duckdb.connect() as base:
        base.register("refused", open_table(warehouse.table(QUARANTINE)).to_pyarrow_table())
        return dict(base.execute("SELECT reason, count(*) FROM refused GROUP BY reason").fetchall())


def read(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read from now on."""
    files: list[Path] = []
    scan = pl.scan_parquet
    monkeypatch.setattr(pl, "scan_parquet", lambda those, **how: files.extend(those) or scan(those, **how))
    return files


def test_reasons_are_those_of_the_rows_after_batches_compaction_and_deletes(warehouse: Warehouse) -> None:
    for number in range(6):
        refuse(warehouse, *["duplicate"] * (number + 1))
        refuse(warehouse, "conflict", "duplicate", "empty")
        assert queries.quarantine_reasons(warehouse) == counted(warehouse)
    open_table(warehouse.table(QUARANTINE)).optimize.compact()
    assert queries.quarantine_reasons(warehouse) == counted(warehouse)
    refuse(warehouse, "empty")
    open_table(warehouse.table(QUARANTINE)).delete("reason = 'conflict'")
    assert queries.quarantine_reasons(warehouse) == counted(warehouse) == {"duplicate": 27, "empty": 7}
    assert list(queries.quarantine_reasons(warehouse)) == ["duplicate", "empty"]


def test_a_file_with_one_reason_is_not_read(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(warehouse, *["duplicate"] * 1_000)
    files = read(warehouse, monkeypatch)
    assert queries.quarantine_reasons(warehouse) == {"duplicate": 1_000}
    refuse(warehouse, "empty", "duplicate")
    assert queries.quarantine_reasons(warehouse) == {"duplicate": 1_001, "empty": 1}
    assert len(files) == 1


def test_texts_that_begin_alike_are_told_apart(warehouse: Warehouse) -> None:
    """A bound of a text may be its beginning, and the same for both."""
    refuse(warehouse, "empty")
    bound = {"reason": LONG[:32]}
    add_file(
        warehouse,
        [LONG + "one", LONG + "two"],
        json.dumps({"numRecords": 2, "minValues": bound, "maxValues": bound, "nullCount": {"reason": 0}}),
    )
    assert queries.quarantine_reasons(warehouse) == {LONG + "one": 1, LONG + "two": 1, "empty": 1}


@pytest.mark.parametrize("statistics", ["{}", '{"numRecords":3}'])
def test_what_the_log_does_not_say_is_read(warehouse: Warehouse, statistics: str) -> None:
    refuse(warehouse, "empty", "empty")
    add_file(warehouse, ["empty", "conflict", "empty"], statistics)
    assert queries.quarantine_reasons(warehouse) == {"empty": 4, "conflict": 1}
    assert sum(queries.counts(warehouse).quarantine.values()) == 5


def test_counts_are_rows_of_every_table(warehouse: Warehouse) -> None:
    nothing = queries.Counts(readings=0, quarantine={}, days=0, complete_days=0, hours=0, batches=0)
    assert queries.counts(warehouse) == nothing
    days = [(0, 0), (0, 3), (0, 0), (5, 1)]
    for name, columns in (
        *((DAILY_COMPLETENESS, {"missing": pair}) for pair in days),
        (READINGS, {"row": [1, 2, 3]}),
        (READINGS, {"row": [4]}),
        (HOURLY_AVERAGE, {"readings": [60, 60]}),
    ):
        write_deltalake(warehouse.table(name), pa.table(columns), mode="append")
    for row in (a_batch(0, (0, 0, 9)), a_batch(1, (0, 9, 10), kind="gap"), a_batch(2, (0, 10, 11))):
        append_batch(warehouse, row)
    open_table(warehouse.table(BATCHES)).optimize.compact()
    assert queries.counts(warehouse) == nothing.model_copy(
        update={"readings": 4, "days": 8, "complete_days": 5, "hours": 2, "batches": 2}
    )


@pytest.fixture
def readings(warehouse: Warehouse) -> pl.DataFrame:
    """Readings of a minute each, in files that overlap, last and first rows in none of their ends."""
    create_table(warehouse, READINGS)
    number = pl.int_range(6_000, eager=True)
    whole = pl.DataFrame({"number": number}).with_columns(
        signal_ts=BEGIN + pl.duration(minutes=number) + pl.duration(microseconds=number % 1_000),
        file=number * 7 // 6_000 + number % 2,
    )
    for _, part in sorted(whole.group_by("file")):
        signals = [[("n", str(each))] for each in part["number"]]
        rows = pa.table(
            {
                "signal_ts": part["signal_ts"].to_arrow(),
                "signals": pa.array(signals, pa.map_(pa.string(), pa.string())),
            }
        )
        write_deltalake(warehouse.table(READINGS), rows, mode="append", schema_mode="merge")
    return whole


def first(warehouse: Warehouse, count: int) -> list[dict[str, Any]]:
    contract = load_contract(PROJECT / "include/streams/wind_turbine.yaml")
    return queries.first_rows(contract, warehouse, READINGS, count)


@pytest.mark.parametrize("count", [1, 5, 1_500])
def test_first_rows_are_the_first_of_all(warehouse: Warehouse, readings: pl.DataFrame, count: int) -> None:
    found = first(warehouse, count)
    assert [row["signal_ts"] for row in found] == readings.sort("signal_ts").head(count)[
        "signal_ts"
    ].to_list()
    assert [row["signals"] for row in found] == [{"n": str(each)} for each in range(count)]


@pytest.mark.parametrize("count", [1, 5, 1_500])
def test_last_readings_are_the_last_of_all(warehouse: Warehouse, readings: pl.DataFrame, count: int) -> None:
    contract = load_contract(PROJECT / "include/streams/wind_turbine.yaml")
    found = queries.last_readings(contract, warehouse, count)
    expected = readings.sort("signal_ts", descending=True).head(count)
    assert [row["signal_ts"] for row in found] == expected["signal_ts"].to_list()
    assert [row["signals"] for row in found] == [{"n": str(each)} for each in expected["number"]]
    assert [row.keys() for row in found] == [{"signal_ts", "entity", "signals"}] * count


def test_without_a_reading_none_is_the_newest(warehouse: Warehouse) -> None:
    contract = load_contract(PROJECT / "include/streams/wind_turbine.yaml")
    assert queries.last_readings(contract, warehouse) == []
    create_table(warehouse, READINGS)
    assert queries.last_readings(contract, warehouse) == []


def test_signals_are_read_in_the_form_that_the_contract_says(warehouse: Warehouse) -> None:
    create_table(warehouse, READINGS)
    texts = ["1.200,5", "0,5", "-", "1.5"]
    signals = pa.array([[("v", text)] for text in texts], pa.map_(pa.string(), pa.string()))
    rows = pa.table({"signals": signals})
    write_deltalake(warehouse.table(READINGS), rows, mode="append", schema_mode="merge")
    shape = small().record.model_dump(mode="json") | {"decimal": ",", "thousands": "."}
    record = small(record=shape | {"signals": [{"name": "v", "fields": ["v"]}]}).record
    found = signal_values(warehouse, ["v"], record=record)
    assert found["v"].to_list() == [1200.5, 0.5, None, None]


def test_signals_are_of_all_readings_or_of_some_from_everywhere(
    warehouse: Warehouse, readings: pl.DataFrame
) -> None:
    whole = signal_values(warehouse, ["n"])
    assert whole["n"].sort().to_list() == readings["number"].cast(pl.Float64).to_list()
    some = signal_values(warehouse, ["n", "absent"], most=700)
    assert 350 <= len(some) <= 700
    assert some["n"].n_unique() == len(some)
    assert set(some["n"]) < set(whole["n"])
    assert some["absent"].null_count() == len(some)
    assert {int(each) // 1_000 for each in some["n"]} == set(range(6))


def test_hours_are_shown_from_a_day_of_the_zone_on(warehouse: Warehouse) -> None:
    hours = [datetime(2018, 1, 1, tzinfo=UTC) + timedelta(hours=each) for each in range(48)]
    columns = {
        "signal_hour": pa.array(hours, pa.timestamp("us", "UTC")),
        "power": [float(n) for n in range(48)],
    }
    write_deltalake(warehouse.table(HOURLY_AVERAGE), pa.table(columns))
    found = queries.averages(small(), warehouse, "power", date(2018, 1, 2))
    assert found["power"].to_list() == [float(n) for n in range(21, 48)]  # midnight there is 21:00 here


def test_the_newest_batches_are_the_last_of_all(warehouse: Warehouse) -> None:
    assert newest_batches(warehouse, 3) == []
    rows = [a_batch(n, (0, n, n + 1)) for n in range(12)]
    for row in rows[:10]:
        append_batch(warehouse, row)
    open_table(warehouse.table(BATCHES)).optimize.compact()
    for row in rows[10:]:
        append_batch(warehouse, row)
    assert newest_batches(warehouse, 3) == rows[-3:]
    assert newest_batches(warehouse, 50) == rows
