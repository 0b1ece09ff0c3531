"""Spark reads the tables that delta-rs made and committed, and passes over files by their statistics."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from headrace.identities.hashing import identity_hashes
from headrace.identities.index import catch_up
from headrace.staging.content import same_content
from headrace.staging.landed_readings import places_of, readings_of
from headrace.staging.staging import stage
from headrace.tables import compaction
from headrace.tables.compaction import compact
from headrace.tables.creation import create_tables
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import a_staging, commit_staged
from testbed.parsed_rows import Parsed, parsed

DAY = 24 * 60
LATE = 23.9999999
"""Minutes: 23:59.999994, more than a millisecond can say."""


def read_table(spark: SparkSession, path: Path) -> DataFrame:
    return spark.read.format("delta").load(str(path))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Two batches, of the first two days and the two after."""
    made = Warehouse(tmp_path / "ware house", "mill")
    made.prepare()
    create_tables(made)
    for batch in range(2):
        start = 2 * batch * DAY
        records = parsed(
            Parsed(10 * batch, minutes=start, signals=[("p", "1.50"), ("q", None)], entity="t1"),
            Parsed(10 * batch + 1, minutes=start + DAY + LATE),
            Parsed(10 * batch + 2, reason="empty", message="no value"),
        )
        staged = stage([records], a_staging(made, batch, zone="Europe/Istanbul"))
        commit_staged(made, batch, staged)
    return made


def files_of(frame: DataFrame) -> int:
    return len(frame.inputFiles())


def test_rows_comments_and_types_are_what_was_written(spark: SparkSession, warehouse: Warehouse) -> None:
    readings = read_table(spark, warehouse.table(READINGS))
    rows = readings.orderBy("provenance.offset").collect()
    assert [row.signal_date for row in rows] == [date(2018, 1, day) for day in (1, 2, 3, 4)]
    assert rows[0].signals == {"p": "1.50", "q": None}
    assert rows[0].entity == "t1"
    assert [(row.provenance.batch, row.provenance.identity) for row in rows] == [
        (0, "[0,0]"),
        (0, "[0,1]"),
        (1, "[0,10]"),
        (1, "[0,11]"),
    ]
    assert rows[1].signal_ts.microsecond == 999994
    said = {row.col_name: (row.data_type, row.comment) for row in _describe(spark, warehouse, READINGS)}
    assert said["signal_date"] == ("date", "day of signal_ts in the contract's zone")
    assert said["signals"] == ("map<string,string>", "signal -> value, as the source wrote it")
    identity = next(f for f in readings.schema["provenance"].dataType.fields if f.name == "identity")
    assert identity.metadata["comment"] == "JSON array: what makes two records the same one"
    refused = read_table(spark, warehouse.table(QUARANTINE)).orderBy("provenance.offset").collect()
    assert [(row.reason, bytes(row.value), row.headers[0].key) for row in refused] == [
        ("empty", b"{", "h")
    ] * 2


def test_files_are_passed_over_by_day_instant_batch_and_offset(
    spark: SparkSession, warehouse: Warehouse
) -> None:
    readings = read_table(spark, warehouse.table(READINGS))
    assert files_of(readings) == 2
    for condition, rows in {
        "signal_date = DATE '2018-01-02'": 1,
        "signal_ts < TIMESTAMP '2018-01-02 12:00:00'": 2,
        "signal_ts >= TIMESTAMP '2018-01-04 03:23:59.999994'": 1,  # 0.994 after the last whole millisecond
        "provenance.batch = 1": 2,
        "provenance.offset BETWEEN 2 AND 10": 1,
        "provenance.row IS NOT NULL": 0,
    }.items():
        found = readings.where(condition)
        assert (found.count(), files_of(found)) == (rows, min(rows, 1)), condition


def test_a_compacted_table_that_spark_goes_on_writing_keeps_its_order(
    spark: SparkSession, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = warehouse.table(READINGS)
    monkeypatch.setattr(compaction, "EVERY", 1)
    compact(path)
    (path / "_delta_log" / f"{4:020}.json#1").write_text("{")  # as a killed commit of delta-rs leaves it
    readings = read_table(spark, path)
    assert (files_of(readings), readings.count()) == (1, 4)
    readings.where("provenance.batch = 0").limit(1).write.format("delta").mode("append").save(str(path))
    assert read_table(spark, path).count() == 5
    # What looks for repeats reads a file of Spark's as it reads its own.
    at, days = catch_up(warehouse).find(identity_hashes(pa.array(["[0,0]", "[0,1]", "no"])))
    assert len(at) == 3
    again = readings_of(path, pa.array(["[0,0]", "[0,1]"]), pa.array(days).cast(pa.date32()))
    copied = [row["offset"] for row in again["provenance"].to_pylist()]
    twice = [place for place, offset in enumerate(copied) if copied.count(offset) == 2]
    assert same_content(*(again.slice(place, 1) for place in twice)).tolist() == [True]
    assert len(places_of(path, 0)) == 3
    staged = stage([parsed(Parsed(20))], a_staging(warehouse, 2))
    commit_staged(warehouse, 2, staged)
    assert read_table(spark, path).count() == 6
    assert files_of(read_table(spark, path).where("provenance.batch = 2")) == 1


def _describe(spark: SparkSession, warehouse: Warehouse, name: str) -> list[object]:
    return spark.sql(f"DESCRIBE TABLE delta.`{warehouse.table(name)}`").collect()
