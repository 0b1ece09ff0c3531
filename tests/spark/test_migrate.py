"""Tables of layout 1, as Delta-Spark wrote them, are migrated with every row, at whatever point killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from headrace.errors import WarehouseError
from headrace.identities.hashing import identity_hashes
from headrace.identities.index import catch_up
from headrace.migrate.migration import migrate
from headrace.offsets import OffsetRange
from headrace.reconcile.batch_counts import check_batches
from headrace.reconcile.snapshot import take_snapshot
from headrace.reconcile.standing import count_all
from headrace.staging.landed_readings import places_of, readings_of
from headrace.staging.staging import reading_rows
from headrace.tables.attempt import Attempt
from headrace.tables.batches import landed_position, next_batch, open_batch, read_batches
from headrace.tables.commits import BatchCommit, GoldCommit, batch_commit, newest_batch
from headrace.tables.names import DAILY_COMPLETENESS, LANDED, QUARANTINE, READINGS
from headrace.tables.progress import is_analysed
from headrace.tables.queries import counts
from headrace.tables.warehouse import LAYOUT, Warehouse
from headrace_spark.gold import analyse
from testbed import layout_one
from testbed.landed_batches import a_staging, land_values
from testbed.parse_cases import TOPIC_ID, contract
from testbed.parsed_rows import START, Parsed, parsed

DAY = 24 * 60
FIRST, FAR, LATE = (
    (datetime(*day, tzinfo=UTC) - START) / timedelta(minutes=1)
    for day in ((1, 1, 5), (1600, 2, 29, 7, 7), (9999, 12, 30))
)
"""Minutes to years that an instant of nanoseconds cannot hold."""

BATCHES = (
    (
        Parsed(0, minutes=1, signals=[("p", "1.50"), ("q", None)], entity="t1"),
        Parsed(1, minutes=DAY + 1 / 7, publication="a", row=1),
        Parsed(2, reason="empty", message="no value", publication="a", row=2),
    ),
    (Parsed(3, reason="not_utf8", message="\x00 é"), Parsed(4, reason="empty", message="")),
    (
        Parsed(5, minutes=FIRST, publication="b", row=1, signals=()),
        Parsed(6, minutes=FAR, timestamp=datetime(9999, 12, 31, tzinfo=UTC)),
        Parsed(7, minutes=LATE, timestamp=datetime(1, 1, 2, tzinfo=UTC)),
        Parsed(8, reason="conflict", message="m", timestamp=datetime(1500, 1, 1, tzinfo=UTC)),
    ),
    (Parsed(9, minutes=2), Parsed(10, minutes=3), Parsed(11, minutes=4)),
)

OPEN = (Parsed(12, minutes=5), Parsed(13, minutes=6))

POINTS = [
    *(f"after_files:{table}" for table in (1, 2)),
    *(f"after_earlier:{table}" for table in (1, 2)),
    *(f"after_table:{table}" for table in (1, 2)),
    "after_verification",
    "after_gold",
    "after_note",
    *(f"after_{step}:{table}" for table in (1, 2) for step in ("aside", "placed")),
    "before_layout",
]


def _commit(attempt: Attempt, batch: int, records: tuple[Parsed, ...]) -> BatchCommit:
    first = records[0].offset
    ranges = (OffsetRange(partition=0, start=first, until=first + len(records)),)
    return attempt.batch_commit(batch, TOPIC_ID, ranges)


@pytest.fixture(scope="package")
def written(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Layout 1: four batches, of which three were compacted, and a gold table."""
    root = tmp_path_factory.mktemp("layout one")
    attempt = Attempt(contract(), Warehouse(root, "small"), "an old run", "an old try")
    warehouse = attempt.warehouse
    layout_one.make_tables(spark, warehouse)
    for batch, records in enumerate(BATCHES):
        layout_one.land_parsed(spark, warehouse, _commit(attempt, batch, records), parsed(*records))
        if batch == 2:
            for name in LANDED:
                layout_one.bring_together(spark, warehouse.table(name))
    gold = GoldCommit(
        run_id="an old run",
        try_id="an old try",
        batch=3,
        topic_id=TOPIC_ID,
        position={0: 12},
        readings_version=5,
        analysis_sha256=attempt.contract.analysis_sha256,
    )
    days = spark.sql(
        "SELECT DATE'2018-01-01' signal_date, 'not computed' entity, 4L distinct_signal_ts, "
        "NULL::BIGINT expected, NULL::BIGINT missing, TIMESTAMP'2018-01-01' first, TIMESTAMP'2018-01-01' last"
    )
    layout_one.write_gold(days, warehouse, DAILY_COMPLETENESS, gold)
    return root


@pytest.fixture
def attempt(written: Path, tmp_path: Path) -> Attempt:
    """A later process on a copy of its own."""
    shutil.copytree(written, tmp_path / "ware house")
    return Attempt(contract(), Warehouse(tmp_path / "ware house", "small"), "a new run")


@pytest.fixture
def warehouse(attempt: Attempt) -> Warehouse:
    return attempt.warehouse


EPOCHS = {
    READINGS: "* REPLACE (epoch_us(signal_ts) AS signal_ts, epoch_us(create_ts) AS create_ts, {provenance})",
    QUARANTINE: "* REPLACE ({provenance})",
}
PROVENANCE = 'struct_update(provenance, "timestamp" := epoch_us(provenance."timestamp")) AS provenance'


def _by_duckdb(table: Path, name: str) -> list[str]:
    """All rows as DuckDB reads them from the files of the table's newest version, each as text, in order."""
    files = [str(table / path) for path in pa.table(DeltaTable(table).get_add_actions())["path"].to_pylist()]
    columns = EPOCHS[name].format(provenance=PROVENANCE)
    rows = duckdb.sql(f"SELECT t::VARCHAR FROM (SELECT {columns} FROM read_parquet({files!r})) t ORDER BY 1")
    return [row[0] for row in rows.fetchall()]


def _by_spark(spark: SparkSession, table: Path) -> list[str]:
    frame = spark.read.format("delta").load(str(table))
    return sorted(row[0] for row in frame.selectExpr("CAST(struct(*) AS STRING)").collect())


def _command(warehouse: Warehouse, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headrace", "migrate", "small", *arguments],
        env={**os.environ, "HEADRACE_WAREHOUSE": str(warehouse.root), "COLUMNS": "300", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_row_is_kept_as_duckdb_and_spark_read_it(spark: SparkSession, warehouse: Warehouse) -> None:
    by_duckdb = {name: _by_duckdb(warehouse.table(name), name) for name in LANDED}
    by_spark = {name: _by_spark(spark, warehouse.table(name)) for name in LANDED}
    assert [len(rows) for rows in by_duckdb.values()] == [8, 4]
    migrate(warehouse, print)
    for name in LANDED:
        assert _by_duckdb(warehouse.table(name), name) == by_duckdb[name]
        spark.catalog.clearCache()
        assert _by_spark(spark, warehouse.table(name)) == by_spark[name]
        assert _by_spark(spark, warehouse.folder / "_layout1" / name) == by_spark[name]
    assert any("0001-01-05" in row for row in by_spark[READINGS])


def test_landing_goes_on_where_it_was(spark: SparkSession, attempt: Attempt) -> None:
    warehouse = attempt.warehouse
    before = {
        name: batch_commit(warehouse.table(name), newest) for name, newest in zip(LANDED, (3, 2), strict=True)
    }
    with pytest.raises(WarehouseError, match=r"\[HR404\].*headrace migrate small"):
        warehouse.prepare()
    migrate(warehouse, print)
    for name, commit in before.items():
        now = batch_commit(warehouse.table(name), commit.metadata.batch)
        assert (now.metadata, now.rows) == (commit.metadata, commit.rows)
        assert newest_batch(warehouse.table(name), "small") == commit.metadata.batch
    assert (open_batch(warehouse), next_batch(warehouse)) == (None, 4)
    assert landed_position(warehouse, TOPIC_ID) == {0: 12}
    with warehouse.writing():
        land_values(attempt, 4, 12, b'{"time": "05 01 2018 00:00", "p": 1}', b"{")
    assert [row.batch for row in read_batches(warehouse)] == [0, 1, 2, 3, 4]
    account = count_all(warehouse, take_snapshot(warehouse), {}, (), {}, reason="migrated").account
    assert list(check_batches(warehouse, account, newest=4)) == []
    assert (
        len(_by_spark(spark, warehouse.table(READINGS))),
        len(_by_spark(spark, warehouse.table(QUARANTINE))),
    ) == (9, 5)
    assert len(_by_duckdb(warehouse.table(READINGS), READINGS)) == 9


def test_landed_identities_are_found_on_days_of_any_year(warehouse: Warehouse) -> None:
    migrate(warehouse, print)
    identities = pa.array(["[0,5]", "[0,7]", "[0,9]", "[0,2]"])
    at, days = catch_up(warehouse).find(identity_hashes(identities))
    assert sorted(at) == [0, 1, 2]  # the last was refused
    found = readings_of(warehouse.table(READINGS), identities, pa.array(days, pa.date32()))
    assert sorted(found["provenance"].combine_chunks().field("offset").to_pylist()) == [5, 7, 9]


def test_an_open_batch_stays_open_for_the_next_landing(spark: SparkSession, attempt: Attempt) -> None:
    warehouse, commit = attempt.warehouse, _commit(attempt, 4, OPEN)
    rows = reading_rows(parsed(OPEN[0]), a_staging(warehouse, 4))
    layout_one.land_readings(spark, warehouse, commit, rows)
    said: list[str] = []
    migrate(warehouse, said.append)
    assert "batch 4 was open and still is: the next `land` finishes it" in said
    assert open_batch(warehouse) == commit
    assert batch_commit(warehouse.table(READINGS), 4).rows == 1
    assert places_of(warehouse.table(READINGS), 4).to_pylist() == [{"partition": 0, "offset": 12}]
    assert newest_batch(warehouse.table(QUARANTINE), "small") == 2


def test_gold_stays_and_is_computed_anew(spark: SparkSession, attempt: Attempt) -> None:
    warehouse = attempt.warehouse
    migrate(warehouse, print)
    assert counts(warehouse).days == 1
    assert not is_analysed(attempt.contract, warehouse, TOPIC_ID, {0: 12})
    analyse(spark, attempt)
    assert is_analysed(attempt.contract, warehouse, TOPIC_ID, {0: 12})
    assert counts(warehouse).days == 6  # five, and one of them by two devices


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_it_is_run_again(warehouse: Warehouse, point: str) -> None:
    before = {name: _by_duckdb(warehouse.table(name), name) for name in LANDED}
    version = DeltaTable(warehouse.table(READINGS)).version()
    killed = _command(warehouse, HEADRACE_CRASH_AT=f"migrate.{point}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with pytest.raises(WarehouseError, match="headrace migrate small"):
        warehouse.prepare()
    if warehouse.layout() == 1:  # the old version can still land: it finds its tables
        assert DeltaTable(warehouse.table(READINGS)).version() == version
        assert {name: _by_duckdb(warehouse.table(name), name) for name in LANDED} == before
    migrate(warehouse, print)
    assert {name: _by_duckdb(warehouse.table(name), name) for name in LANDED} == before
    assert warehouse.layout() == LAYOUT
    assert not (warehouse.folder / "_layout2").exists()
    assert sorted(each.name for each in (warehouse.folder / "_layout1").iterdir()) == sorted(LANDED)
    assert len(DeltaTable(warehouse.table(DAILY_COMPLETENESS)).history()) == 2


def test_the_command_says_what_it_did_and_what_to_do(warehouse: Warehouse) -> None:
    done = _command(warehouse)
    assert done.returncode == 0, done.stderr
    assert "readings: verified: 8 rows of 3 batches and 2 publications" in done.stdout
    assert "quarantine: verified: 4 rows of 3 batches and 1 publications" in done.stdout
    assert "stream small: the tables have layout 2 now" in done.stdout
    assert "--remove-old" in done.stdout
    again = _command(warehouse, "--remove-old")
    assert again.returncode == 0
    assert "nothing to migrate" in again.stdout
    assert not (warehouse.folder / "_layout1").exists()
    assert len(_by_duckdb(warehouse.table(READINGS), READINGS)) == 8


def _with_deletion_vectors(spark: SparkSession, table: Path) -> None:
    spark.sql(f"ALTER TABLE delta.`{table}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    spark.sql(f"DELETE FROM delta.`{table}` WHERE provenance.offset = 1")


def _with_a_column(spark: SparkSession, table: Path) -> None:
    spark.sql(f"ALTER TABLE delta.`{table}` ADD COLUMNS (remark STRING)")


@pytest.mark.parametrize(
    ("change", "says"), [(_with_deletion_vectors, "features"), (_with_a_column, "remark")]
)
def test_what_a_migration_would_lose_is_refused(
    spark: SparkSession, warehouse: Warehouse, change: Callable[[SparkSession, Path], None], says: str
) -> None:
    change(spark, warehouse.table(READINGS))
    with pytest.raises(WarehouseError, match=says):
        migrate(warehouse, print)
    assert json.loads((warehouse.folder / "_layout.json").read_text()) == {"layout": 1}
