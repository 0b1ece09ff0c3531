"""Spark as the publisher: the same records as the worker's, each at least once, whatever dies."""

import gzip
import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest
import yaml
from confluent_kafka import Message

from headrace.contract.loader import WrittenContract, load_contract
from headrace.contract.model import Contract
from headrace.driver.process_tree import kill_tree
from headrace.driver.protocol import Job
from headrace.errors import SourceError
from headrace.kafka.headers import Authors
from headrace.kafka.topics import ensure_topic, log_end
from headrace.parse.provenance import of_messages
from headrace.publish.handing_over import HandingOver
from headrace.publish.kinds import publish_source
from headrace.publish.publications import read_publications
from headrace.publish.published import Published
from headrace.reconcile.ledger import Entry
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import PROJECT, Settings, load_settings
from headrace.tables.keys import read_key
from headrace.tables.queries import open_table
from headrace.tables.slices import fix_slice, new_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from local.stack.spark import submit
from testbed.published import ROWS, assert_each_once, read, row_number
from testbed.stages import Outcome, run_in_worker, run_warm, succeeded
from testbed.streams import show
from testbed.waiting import awaited

SHIPPED = PROJECT / "include/streams/wind_turbine.yaml"

NO_DATABASE: Any = None


@dataclass(frozen=True)
class SparkStream:
    """A stream with a source, a topic and a home of its own, and what publishes it."""

    file: Path
    settings: Settings
    config: dict[str, Any]
    topic_id: str
    run: str = "a run"

    @property
    def contract(self) -> Contract:
        return load_contract(self.file)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse.of(self.settings, self.contract.stream)

    def by_worker(self) -> Published:
        return publish_source(self.contract, self.settings, self.config, self.run, database=NO_DATABASE)

    def handed_over(self) -> Job:
        """What the task does before the driver: the job of what is new."""
        handing_over = HandingOver()
        publish_source(
            self.contract,
            self.settings,
            self.config,
            self.run,
            database=NO_DATABASE,
            publish_file=handing_over,
        )
        return self.job(handing_over)

    def job(self, handing_over: HandingOver) -> Job:
        return Job(
            contract=WrittenContract.of(self.file),
            run_id=self.run,
            warehouse=self.settings.warehouse_path,
            kafka=self.config,
            publications=tuple(handing_over.publications),
        )

    def by_spark(self, job: Job | None = None) -> Outcome:
        return run_warm("publish.py", job or self.handed_over(), **self.home)

    @property
    def home(self) -> dict[str, str]:
        return {"HEADRACE_HOME": str(self.settings.home)}

    def records(self) -> list[Message]:
        """All of them, partition by partition."""
        found = read(self.config, self.contract.topic.name)
        return sorted(found, key=lambda each: (each.partition() or 0, each.offset() or 0))

    def landed(self) -> tuple[Entry, dict[str, int]]:
        """Land and reconcile; the account, and how many rows there are by what became of them."""
        topic = self.contract.topic.name
        end = log_end(self.config, topic)
        run_slice = fix_slice(self.warehouse, new_slice(self.run, topic, self.topic_id, {}, end))
        job = self.job(HandingOver()).model_copy(update={"slice": run_slice})
        succeeded(run_in_worker(job, **self.home))
        entry = reconcile(self.contract, self.settings, self.config, self.run)
        with duckdb.connect() as sql:
            for name in ("readings", "quarantine"):
                sql.register(name, open_table(self.warehouse.table(name)).to_pyarrow_dataset())
            counts = "SELECT 'readings', count(*) FROM readings UNION ALL "
            counts += "SELECT reason, count(*) FROM quarantine GROUP BY reason"
            return entry, dict(sql.sql(counts).fetchall())


def make(folder: Path, broker: Broker, name: str, **source: Any) -> SparkStream:
    """The wind turbine's contract with another source, published by Spark."""
    folder.mkdir(exist_ok=True)
    definition = yaml.safe_load(SHIPPED.read_text("utf-8"))
    stream = f"{name}_{folder.parent.name[-8:]}_{folder.name}".lower().replace("-", "_")
    definition |= {"stream": stream, "publish": {"engine": "spark"}}
    definition["source"] |= {"settle": "PT0S", **source}
    definition["topic"] |= {"name": f"{stream}.readings"}
    return write(folder, broker, definition)


def write(folder: Path, broker: Broker, definition: dict[str, Any]) -> SparkStream:
    file = folder / f"{definition['stream']}.yaml"
    file.write_text(yaml.safe_dump(definition, sort_keys=False), "utf-8")
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / "jars").symlink_to(load_settings().home_path / "jars")
    roots = f"{PROJECT / 'include/data'}:{folder.parent}"
    settings = Settings(home=home, warehouse=folder / "warehouse", source_roots=roots)
    topic = ensure_topic(broker.config, load_contract(file).topic)
    return SparkStream(file, settings, broker.config, topic.topic_id)


def without_publication(record: Message) -> tuple[Any, ...]:
    """All that a record holds but its publication's name, and the proof, which covers that name."""
    (name, header), *others = record.headers() or []
    assert isinstance(header, bytes)
    said = header.split(b":")
    assert not others
    return record.partition(), record.key(), record.value(), name, said[0], said[2:5]


def assert_same_records(spark: SparkStream, worker: SparkStream) -> None:
    """The same partition by partition, in the same order, and with proofs that hold."""
    by_spark, by_worker = ([*map(without_publication, each.records())] for each in (spark, worker))
    assert by_spark == by_worker
    key = read_key(spark.warehouse)
    proven = of_messages(spark.records(), Authors(key, {}))
    assert proven["row"].null_count() == 0
    known = {row.publication for row in read_publications(spark.warehouse) if row.rows}
    assert {*proven["publication"]} == known


def test_its_records_are_the_workers_byte_by_byte(broker: Broker, tmp_path: Path) -> None:
    spark, worker = (make(tmp_path / each, broker, "t1") for each in ("spark", "worker"))
    succeeded(spark.by_spark())
    worker.by_worker()
    assert_each_once(spark.records())
    assert_same_records(spark, worker)
    assert spark.handed_over().publications == ()  # the second time nothing is new
    entry, counts = spark.landed()
    assert (entry.balanced, counts, entry.notes) == (True, {"readings": ROWS}, ())


HEADER = "Date/Time,LV_ActivePower,Wind_Speed,Theoretical_Power_Curve,Wind_Direction"


def rows(month: int, many: int) -> str:
    times = (f"{1 + n // 24:02} {month:02} 2018 {n % 24:02}:00" for n in range(many))
    return "".join(f"{time},{n}.5,{n % 70},0,0\n" for n, time in enumerate(times))


def test_a_folder_of_files_of_many_kinds(broker: Broker, tmp_path: Path) -> None:
    """Packed, with other columns, a byte-order mark, both ends of lines, quotes, equal rows, no row."""
    folder = tmp_path / "in"
    folder.mkdir()
    quoted = '"01 05 2018 00:00",1,2,3,4,"  a ""quoted"", text \\ ü"\r\n01 05 2018 01:00,,,,,\r\n'
    (folder / "a.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{rows(1, 600)}".encode()))
    (folder / "b.csv").write_text(f"\ufeff{HEADER},note\r\n{quoted}", "utf-8", newline="")
    (folder / "c.csv").write_text(f"{HEADER}\n" + rows(3, 5) + rows(3, 5), "utf-8")
    (folder / "d.csv").write_text(HEADER + "\n", "utf-8")
    spark, worker = (make(tmp_path / each, broker, "many", path=str(folder)) for each in ("spark", "worker"))
    for each in (spark, worker):
        definition = yaml.safe_load(each.file.read_text("utf-8"))
        del definition["record"]["identity"]  # then it counts equal rows
        each.file.write_text(yaml.safe_dump(definition, sort_keys=False), "utf-8")
    succeeded(spark.by_spark())
    worker.by_worker()
    assert_same_records(spark, worker)
    values = [json.loads(each.value() or b"") for each in spark.records()]
    assert len(values) == 600 + 2 + 10
    assert '  a "quoted", text \\ ü' in {value.get("note") for value in values}
    entry, _ = spark.landed()
    assert entry.balanced
    assert [each.rows for each in entry.sources] == [600, 2, 10, 0]

    with (folder / "c.csv").open("a", encoding="utf-8") as grown:  # published whole: its old rows are there
        grown.write(rows(4, 7))
    succeeded(spark.by_spark())
    entry, counts = replace(spark, run="another run").landed()
    assert (entry.balanced, counts["duplicate"]) == (True, 10)


def command_lines(jvm: psutil.Process) -> Iterator[str]:
    """Those of the driver and its children, as every user of the machine reads them."""
    for each in (jvm, *jvm.children(recursive=True)):
        with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            yield " ".join(each.cmdline())


def test_what_a_killed_driver_repeats_lands_as_duplicates(broker: Broker, tmp_path: Path) -> None:
    spark = make(tmp_path / "spark", broker, "killed")
    process = submit(
        "publish.py", spark.handed_over(), **spark.home, HEADRACE_STOP_AT="publish_by_spark.inside:5"
    )
    topic = spark.contract.topic.name
    jvm = psutil.Process(process.pid)

    def stopped() -> bool:
        return any(each.status() == psutil.STATUS_STOPPED for each in jvm.children(recursive=True))

    awaited(stopped)
    assert any("spark" in line for line in command_lines(jvm))
    assert not any(spark.config["sasl.password"] in line for line in command_lines(jvm))
    awaited(lambda: sum(log_end(spark.config, topic).values()) >= 5_000)
    kill_tree(jvm)
    assert process.wait(60) in {-signal.SIGKILL, -signal.SIGTERM, 137, 143}
    written = sum(log_end(spark.config, topic).values())
    assert 0 < written < ROWS
    (begun,) = read_publications(spark.warehouse)
    assert (begun.state, begun.at_least_once) == ("publishing", True)

    succeeded(spark.by_spark())
    records = spark.records()
    assert {*map(row_number, records)} == {*range(1, ROWS + 1)}
    entry, counts = spark.landed()
    show(f"killed when {written} rows were written; then {len(records)} records; landed {counts}")
    assert counts == {"readings": ROWS, "duplicate": written}
    (account,) = entry.sources
    assert (account.rows, account.landed, account.quarantined, account.problems) == (ROWS, ROWS, 0, ())
    assert any(f"{written:,} records more are copies of its rows" in note for note in entry.notes)
    assert Counter(map(row_number, records)).most_common(1)[0][1] == 2


def test_what_is_wrong_with_a_file_is_said_before_a_driver_is_started(broker: Broker, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "broken.csv").write_text(f"{HEADER}\n01 01 2018 00:00,1\n", "utf-8")
    (folder / "sound.csv").write_text(f"{HEADER}\n{rows(1, 20)}", "utf-8")
    spark = make(tmp_path / "spark", broker, "broken", path=str(folder))
    handing_over = HandingOver()
    with pytest.raises(SourceError, match=r"broken\.csv, line 2, field Wind_Speed: is missing"):
        publish_source(
            spark.contract,
            spark.settings,
            spark.config,
            "a run",
            database=NO_DATABASE,
            publish_file=handing_over,
        )
    succeeded(spark.by_spark(spark.job(handing_over)))
    assert len(spark.records()) == 20


def test_a_file_that_spark_reads_otherwise_is_refused(broker: Broker, tmp_path: Path) -> None:
    """A line break of the other kind within quotes: Spark would make it one of the file's own."""
    source = tmp_path / "spark" / "breaks.csv"
    source.parent.mkdir()
    source.write_text(f'{HEADER},note\r\n01 01 2018 00:00,1,2,3,4,"two\r\nlines"\r\n', "utf-8", newline="")
    spark = make(tmp_path / "spark", broker, "breaks", path=str(source))
    outcome = spark.by_spark()
    assert outcome.terminal
    assert outcome.error
    assert outcome.error.code == "HR201"
    assert "not the same texts" in outcome.error.message
    assert spark.records() == []
    assert [row.state for row in read_publications(spark.warehouse)] == ["publishing"]
