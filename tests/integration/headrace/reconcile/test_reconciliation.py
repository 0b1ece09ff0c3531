"""Reconcile on a finished run: silent when all is well, and whatever is tampered with afterwards is named."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable, write_deltalake
from typer.testing import CliRunner

from headrace.cli import app
from headrace.contract.model import Contract
from headrace.driver.spark_submit import SPARK_SUBMIT
from headrace.errors import NotReconciled, WarehouseError
from headrace.kafka.topics import log_end
from headrace.publish.publishing import publish
from headrace.reconcile.ledger import Entry, read_ledger
from headrace.reconcile.reconciliation import audit, reconcile
from headrace.settings import PROJECT, Settings, load_settings
from headrace.tables.queries import scan
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from local.stack.spark import spark_environment
from testbed.stages import succeed
from testbed.streams import Stream, make_stream, show

T1 = PROJECT / "include/data/wind_turbine/T1.csv"
ROWS = 1_000
BAD = {3: "calm", 500: "NaN", 501: "1e999"}
"""Row -> what stands there instead of the power."""

LANDED_ROW, BAD_ROW = 77, 500
RUN = "a run"

# Delta of Spark itself: delta-rs does not write clustered tables.
TAMPER = """
import sys
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
landed, bad = int(sys.argv[1]), int(sys.argv[2])
for root in sys.argv[3:]:
    DeltaTable.forPath(spark, f"{root}/lost/mill/readings").delete(f"provenance.row = {landed}")
    twice = f"{root}/twice/mill/readings"
    row = spark.read.format("delta").load(twice).where(f"provenance.row = {landed}")
    row.write.format("delta").mode("append").save(twice)
    DeltaTable.forPath(spark, f"{root}/unquarantined/mill/quarantine").delete(f"provenance.row = {bad}")
"""

SEALED = "after a seal"
"""The folder of the copies that were tampered with after a run had sealed what it counted."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a mill")


@pytest.fixture(scope="module")
def stream(broker: Broker, folder: Path) -> Stream:
    """The first rows of T1.csv, three of them bad."""
    with T1.open(encoding="utf-8", newline="") as source:
        lines = [next(source) for _ in range(ROWS + 1)]
    for row, power in BAD.items():
        time, _, *rest = lines[row].split(",")
        lines[row] = ",".join([time, power, *rest])
    (folder / "mill.csv").write_text("".join(lines), encoding="utf-8", newline="")
    definition = yaml.safe_load((PROJECT / "include/streams/wind_turbine.yaml").read_text(encoding="utf-8"))
    definition["stream"], definition["topic"]["name"] = "mill", "mill.readings"
    definition["source"]["path"] = str(folder / "mill.csv")
    definition["landing"]["max_records_per_batch"] = 600
    return make_stream(folder, broker.config, definition)


@pytest.fixture(scope="module")
def finished(stream: Stream, folder: Path) -> Path:
    """A finished run's warehouse, and a copy of it for each way to tamper with it."""
    settings = settings_for(folder, "finished")
    publish(stream.contract, settings, stream.config, RUN)
    warehouse = Warehouse.of(settings, "mill")
    succeed("land.py", stream.job(warehouse.root, fix_slice(warehouse, stream.slice_to_end())))
    for copy in ("lost", "twice", "unquarantined", "miscounted", "loss", f"{SEALED}/to seal"):
        shutil.copytree(warehouse.root, folder / copy)
    assert reconcile(stream.contract, settings_for(folder, f"{SEALED}/to seal"), stream.config, RUN).balanced
    for copy in ("lost", "twice", "unquarantined", "miscounted", "unread"):
        shutil.copytree(folder / SEALED / "to seal", folder / SEALED / copy)
    script = folder / "tamper.py"
    script.write_text(TAMPER, encoding="utf-8")
    subprocess.run(
        [SPARK_SUBMIT, script, str(LANDED_ROW), str(BAD_ROW), folder, folder / SEALED],
        env={**os.environ, **spark_environment(load_settings())},
        check=True,
        capture_output=True,
    )
    return folder


def settings_for(folder: Path, copy: str) -> Settings:
    return Settings(warehouse=folder / copy, home=folder / "home", source_roots=str(folder))


def failing(stream: Stream, folder: Path, copy: str) -> list[str]:
    """The problems that reconcile names, in the order of its message."""
    settings = settings_for(folder, copy)
    with pytest.raises(NotReconciled) as raised:
        reconcile(stream.contract, settings, stream.config, RUN)
    show(f"{copy}:", str(raised.value))
    newest = read_ledger(Warehouse.of(settings, "mill"))[-1]
    assert not newest.balanced
    assert all(problem in str(raised.value) for problem in newest.problems)
    return list(newest.problems)


def place(stream: Stream, folder: Path, table: str, row: int) -> tuple[str, int]:
    """Where a source row is, as reconcile writes it, and its batch."""
    provenance = pl.col("provenance").struct
    frame = scan(Warehouse(folder / "finished", "mill"), table).filter(provenance.field("row") == row)
    partition, offset, batch = (
        frame.select(*(provenance.field(name) for name in ("partition", "offset", "batch"))).collect().row(0)
    )
    return f"topic {stream.contract.topic.name}, partition {partition}, offset {offset}", batch


def test_a_sound_run_is_balanced(stream: Stream, finished: Path) -> None:
    entry: Entry = reconcile(stream.contract, settings_for(finished, "finished"), stream.config, RUN)
    show("finished:", *entry.lines())
    assert entry.balanced
    (source,) = entry.sources
    assert (source.rows, source.landed, source.quarantined) == (ROWS, ROWS - len(BAD), len(BAD))
    assert (entry.slice.visible, entry.slice.landed, entry.slice.quarantined) == (
        ROWS,
        ROWS - len(BAD),
        len(BAD),
    )


def test_a_deleted_reading_is_named(stream: Stream, finished: Path) -> None:
    problems = failing(stream, finished, "lost")
    where, batch = place(stream, finished, "readings", LANDED_ROW)
    assert problems[0].startswith(f"{finished / 'mill.csv'} (publication ")
    assert problems[0].endswith(f": row {LANDED_ROW} is in no table")
    assert problems[1] == f"{where}: is in no table"
    assert problems[2].startswith(f"batch {batch}: ")
    assert len(problems) == 3


def test_a_reading_that_stands_twice_is_named(stream: Stream, finished: Path) -> None:
    problems = failing(stream, finished, "twice")
    where, batch = place(stream, finished, "readings", LANDED_ROW)
    assert problems[0].endswith(f": row {LANDED_ROW} stands 2 times in readings and 0 times in quarantine")
    assert problems[1] == f"{where}: is in the tables more than once"
    assert problems[2].startswith(f"batch {batch}: ")
    assert len(problems) == 3


def test_a_deleted_quarantine_row_is_named(stream: Stream, finished: Path) -> None:
    problems = failing(stream, finished, "unquarantined")
    where, batch = place(stream, finished, "quarantine", BAD_ROW)
    assert problems[0].endswith(f": row {BAD_ROW} is in no table")
    assert problems[1] == f"{where}: is in no table"
    assert problems[2].startswith(f"batch {batch}: ")
    assert len(problems) == 3


def test_a_batch_that_says_one_too_many_is_named(stream: Stream, finished: Path) -> None:
    told = miscount(finished / "miscounted")
    problems = failing(stream, finished, "miscounted")
    assert len(problems) == 1
    landed = told["landed"]
    assert problems[0].startswith(f"batch 1: `batches` says {told['records']} records, {landed} landed,")
    assert f"the tables hold {landed - 1} landed" in problems[0]


def miscount(root: Path) -> dict[str, Any]:
    """Let `batches` say one landed reading too many of batch 1; what it says then."""
    table = root / "mill" / "batches"
    rows = DeltaTable(str(table)).to_pyarrow_table().to_pylist()
    told: dict[str, Any] = next(row for row in rows if row["batch"] == 1)
    told["landed"] += 1
    schema = DeltaTable(str(table)).to_pyarrow_table().schema
    write_deltalake(str(table), pl.DataFrame(rows).to_arrow().cast(schema), mode="overwrite")
    return told


@pytest.mark.parametrize("copy", ["lost", "twice", "unquarantined"])
def test_what_was_tampered_with_after_a_seal_is_named_alike(
    stream: Stream, finished: Path, copy: str
) -> None:
    assert failing(stream, finished, f"{SEALED}/{copy}") == failing(stream, finished, copy)
    counted = newest(finished, f"{SEALED}/{copy}").counted
    assert counted
    assert str(counted.reason).endswith("was not made by landing")


def test_a_batch_that_says_one_too_many_is_named_on_a_seal_too(stream: Stream, finished: Path) -> None:
    miscount(finished / SEALED / "miscounted")
    (problem,) = failing(stream, finished, f"{SEALED}/miscounted")
    assert problem.startswith("batch 1: `batches` says ")
    counted = newest(finished, f"{SEALED}/miscounted").counted
    assert counted
    assert (counted.new, counted.sealed, counted.reason) == (0, ROWS, None)


def newest(folder: Path, copy: str) -> Entry:
    return read_ledger(Warehouse(folder / copy, "mill"))[-1]


def test_an_audit_counts_everything_and_what_no_seal_can_see(stream: Stream, finished: Path) -> None:
    """A file of the same size and time with other bytes: the next run cannot know it, an audit reads it."""
    settings = settings_for(finished, f"{SEALED}/unread")
    entry = audit(stream.contract, settings, stream.config, "audit 1")
    assert entry.counted
    assert (entry.counted.new, entry.counted.sealed) == (ROWS, 0)
    assert (entry.slice.visible, entry.slice.landed, entry.slice.quarantined) == (
        ROWS,
        ROWS - len(BAD),
        len(BAD),
    )
    file = max(Warehouse.of(settings, "mill").table("readings").glob("*.parquet"))
    before = file.stat()
    file.write_bytes(b"x" * before.st_size)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert reconcile(stream.contract, settings, stream.config, RUN).balanced
    with pytest.raises(NotReconciled, match=f"readings: {file.name} is in the table's log, but cannot be"):
        audit(stream.contract, settings, stream.config, "audit 2")


def test_the_command_audits_a_stream(stream: Stream, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(finished, f"{SEALED}/to seal")
    for name in ("warehouse", "home", "source_roots"):
        monkeypatch.setenv(f"HEADRACE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("HEADRACE_STREAMS", str(finished))
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps({"extra": stream.config}))
    command = ["audit", "mill"]
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"all {ROWS:,} records of the tables counted: an audit counts everything" in done.stdout
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(finished / "lost"))
    failed = CliRunner().invoke(app, command)
    assert failed.exit_code == 1
    assert f": row {LANDED_ROW} is in no table" in failed.stderr


def test_a_run_without_slice_is_told_to_land_first(stream: Stream, finished: Path) -> None:
    with pytest.raises(WarehouseError, match="run 'another' has no slice"):
        reconcile(stream.contract, settings_for(finished, "finished"), stream.config, "another")


def test_records_of_a_topic_that_was_made_anew_are_not_taken_for_the_slices(
    stream: Stream, finished: Path
) -> None:
    settings = settings_for(finished, "finished")
    slice_of_old = stream.slice_to_end().model_copy(
        update={"run_id": "an old run", "topic_id": "of a topic gone"}
    )
    fix_slice(Warehouse.of(settings, "mill"), slice_of_old)
    entry = reconcile(stream.contract, settings, stream.config, "an old run")
    assert (entry.slice.visible, entry.slice.landed, entry.slice.quarantined) == (None, 0, 0)


def test_it_takes_the_sources_rows_from_the_source(stream: Stream, finished: Path) -> None:
    """A publication that claims fewer rows than its source has is not believed."""
    contract: Contract = stream.contract
    settings = settings_for(finished, "loss")
    table = settings.warehouse_path / "mill" / "publications"
    claims = DeltaTable(str(table)).to_pyarrow_table()
    fewer = claims.set_column(
        claims.schema.get_field_index("rows"), claims.schema.field("rows"), [[ROWS - 1]]
    )
    write_deltalake(str(table), fewer, mode="overwrite")
    (source,) = reconcile(contract, settings, stream.config, RUN).sources
    assert source.rows == ROWS


def test_a_slice_that_has_expired_since_is_counted_by_its_batches(stream: Stream, finished: Path) -> None:
    """The last of the module: nothing is left in the topic."""
    ends = log_end(stream.config, stream.contract.topic.name)
    gone = [TopicPartition(stream.contract.topic.name, each, end) for each, end in ends.items()]
    admin = AdminClient(stream.config)  # kept: a client that nobody holds answers nothing any more
    for answer in admin.delete_records(gone).values():
        answer.result(30)
    entry = reconcile(stream.contract, settings_for(finished, "finished"), stream.config, RUN)
    assert (entry.balanced, entry.slice.visible) == (True, None)
    assert any("this run's slice: expired from the log since = " in line for line in entry.lines())
    problems = failing(stream, finished, "lost")
    held, had = next(
        map(int, found.groups())
        for each in problems
        if (found := re.search(r"the tables hold (\d+) records of these offsets, batch 0 had (\d+)", each))
    )
    assert held == had - 1
