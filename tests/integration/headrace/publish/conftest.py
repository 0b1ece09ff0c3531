"""A publisher of T1.csv with a stream, a topic and a warehouse of its own on the tests' broker."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import psutil
import pytest
import yaml
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from sqlalchemy import make_url

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.contract.source import CsvSource
from headrace.kafka.topics import ensure_topic
from headrace.publish import publishing
from headrace.publish.kinds import publish_source
from headrace.publish.publications import Publication, read_publications
from headrace.publish.published import Published
from headrace.publish.publishing import publish
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import PROJECT, Settings
from headrace.tables.queries import open_table
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.killed_publisher import publish_until
from testbed.published import T1, read
from testbed.stages import Outcome, run_in_worker, succeeded
from testbed.streams import Stream, make_stream
from testbed.waiting import awaited

SHIPPED = PROJECT / "include/streams/wind_turbine.yaml"

PUBLISHER = """
import json
import os
import sys
from pathlib import Path
from headrace.contract.loader import load_contract
from headrace.publish.kinds import publish_source
from headrace.settings import load_settings
from sqlalchemy import make_url

config = json.loads(os.environ["KAFKA"])
contract, settings = load_contract(Path(sys.argv[1])), load_settings()
database = lambda name: make_url(os.environ[name])
publish_source(contract, settings, config, "asleep", database=database, report=print)
"""


@dataclass(frozen=True)
class Publisher:
    """One stream's publisher, and what it has left in the broker and in the warehouse."""

    contract: Contract
    settings: Settings
    config: dict[str, Any]

    @property
    def topic(self) -> str:
        return self.contract.topic.name

    @property
    def connection(self) -> dict[str, Any]:
        """The configuration without what is a producer's."""
        return {name: value for name, value in self.config.items() if name != "message.timeout.ms"}

    @cached_property
    def admin(self) -> AdminClient:
        """Kept: a client that nobody holds answers nothing any more."""
        return AdminClient(self.connection)

    def publish(self, run_id: str, **more: Any) -> Published:
        """What the task does, in this process."""
        return publish_source(
            self.contract,
            self.settings,
            self.config,
            run_id,
            database=lambda name: make_url(os.environ[name]),
            **more,
        )

    def killed_at(self, point: str) -> None:
        """Publish in a process that ends at `point` by SIGKILL."""
        publish_until(point, self._file, self.config, self._environment)

    def asleep_at(self, point: str) -> "subprocess.Popen[str]":
        """Publish, in transactions of two seconds at most, in a process that stops at `point` by SIGSTOP."""
        short = {"transaction.timeout.ms": 2_000, "message.timeout.ms": 2_000}
        asked = {"KAFKA": json.dumps(self.config | short), "HEADRACE_STOP_AT": point}
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, str(self._file)],
            env={**os.environ, **self._environment, **asked},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        awaited(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, 120)
        return process

    @property
    def _file(self) -> Path:
        return self.settings.home.parent / f"{self.contract.stream}.yaml"

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "HEADRACE_HOME": str(self.settings.home),
            "HEADRACE_WAREHOUSE": str(self.settings.warehouse),
            "HEADRACE_SOURCE_ROOTS": self.settings.source_roots,
        }

    def into(self, name: str, **config: str) -> "Publisher":
        """The same source into another topic of the stream."""
        changed: dict[str, Any] = {"name": f"{self.contract.stream}.{name}"}
        if config:
            changed["config"] = {key.replace("_", "."): value for key, value in config.items()}
        topic = self.contract.topic.model_copy(update=changed)
        ensure_topic(self.config, topic)
        return replace(self, contract=self.contract.model_copy(update={"topic": topic}))

    # -- its source

    def write(self, rows: int, behind: int = 0) -> None:
        """Let the stream's own source (`own`) be the first rows of T1.csv, or those behind so many."""
        assert isinstance(self.contract.source, CsvSource)
        assert self.contract.source.file != T1
        header, *lines = T1.read_bytes().splitlines(keepends=True)
        self.contract.source.file.write_bytes(b"".join([header, *lines[behind : behind + rows]]))

    # -- what it has left

    def visible(self) -> list[Message]:
        """The topic's committed records."""
        return read(self.connection, self.topic)

    def written(self) -> list[Message]:
        """Those of open and of aborted transactions too."""
        return read(self.connection, self.topic, "read_uncommitted")

    def publications(self) -> list[Publication]:
        return read_publications(Warehouse.of(self.settings, self.contract.stream))

    def states(self) -> list[str]:
        return [row.state for row in self.publications()]

    @property
    def group(self) -> str:
        """The consumer group that holds the progress of its newest publication."""
        *_, noted = self.publications()
        return f"headrace.{self.contract.stream}.{noted.publication}"

    def progress(self) -> int | None:
        """The next row, as it was last committed."""
        consumer = Consumer(
            {
                **self.connection,
                "group.id": self.group,
                "isolation.level": "read_uncommitted",  # else an open transaction makes the broker wait
            }
        )
        (found,) = consumer.committed([TopicPartition(self.topic, 0)], timeout=30)
        consumer.close()
        assert found.metadata in {None, "", self.group.rpartition(".")[2]}
        return found.offset if found.offset > 0 else None

    def forget_progress(self) -> None:
        """What Kafka does with the offsets of a group that nobody has used for a week."""
        self.admin.delete_consumer_groups([self.group])[self.group].result(30)


def day(number: int) -> list[str]:
    """An hourly reading each, and one that stands there twice."""
    rows = [f"2024-03-{number:02} {hour:02}:00,{number}{hour:02}" for hour in range(24)]
    return [*rows, rows[-1]]


@dataclass(frozen=True)
class Growing:
    """A stream without a declared identity, its file and its tables."""

    stream: Stream
    settings: Settings

    @property
    def file(self) -> Path:
        assert isinstance(self.stream.contract.source, CsvSource)
        return self.stream.contract.source.file

    def write(self, *days: int) -> None:
        self.write_rows(*(row for number in days for row in day(number)))

    def write_rows(self, *rows: str) -> None:
        self.file.write_text("\n".join(["time,v", *rows, ""]), encoding="utf-8")

    def rows(self) -> list[tuple[int, int]]:
        """First and last row of each publication."""
        known = read_publications(self.stream.warehouse(self.settings.warehouse_path))
        return [(each.first, each.rows) for each in known]

    def asking(self, record: dict[str, Any]) -> "Growing":
        """The same with other parts of the record; in the contract's file, too, which landing reads."""
        definition = yaml.safe_load(self.stream.file.read_text("utf-8"))
        event_time = definition["record"]["event_time"] | record.get("event_time", {})
        definition["record"] |= record | {"event_time": event_time}
        self.stream.file.write_text(yaml.safe_dump(definition), "utf-8")
        return replace(self, stream=replace(self.stream, contract=load_contract(self.stream.file)))

    def instants(self) -> list[int]:
        """The readings' times, in seconds since 1970."""
        with duckdb.connect() as sql:
            readings = self.stream.warehouse(self.settings.warehouse_path).table("readings")
            sql.register("readings", open_table(readings).to_pyarrow_dataset())
            found = sql.sql("SELECT epoch(signal_ts)::BIGINT FROM readings ORDER BY 1").fetchall()
        return [instant for (instant,) in found]

    def publish(self, run_id: str, republish: bool = False) -> Published:
        return publish(
            self.stream.contract, self.settings, self.stream.config, run_id, republish=republish, report=print
        )

    def outcome(self, start: dict[int, int]) -> tuple[Outcome, dict[int, int]]:
        """Land what the topic holds from there on; where that ends."""
        run_slice = self.stream.slice_to_end(start)
        return run_in_worker(self.stream.job(self.settings.warehouse_path, run_slice)), run_slice.until

    def landed(self) -> tuple[list[str], int]:
        """Land what the topic holds; the readings' values, and how many duplicates are in quarantine."""
        root = self.settings.warehouse_path
        succeeded(run_in_worker(self.stream.job(root)))
        warehouse = self.stream.warehouse(root)
        with duckdb.connect() as sql:
            for name in ("readings", "quarantine"):
                sql.register(name, open_table(warehouse.table(name)).to_pyarrow_dataset())
            values = sql.sql("SELECT signals['v'] FROM readings").fetchall()
            reasons = sql.sql("SELECT count(*) FROM quarantine WHERE reason = 'duplicate'").fetchall()
            others = sql.sql("SELECT reason, message FROM quarantine WHERE reason <> 'duplicate'").fetchall()
        assert others == []
        return sorted(value for (value,) in values), reasons[0][0]


def values(*days: int) -> list[str]:
    return sorted(row.partition(",")[2] for number in days for row in day(number))


def assert_balanced(growing: Growing) -> None:
    """Every row of every publication is accounted for."""
    warehouse = growing.stream.warehouse(growing.settings.warehouse_path)
    fix_slice(warehouse, growing.stream.slice_to_end())
    for _ in range(2):  # all counted, then on the seal
        entry = reconcile(growing.stream.contract, growing.settings, growing.stream.config, "a run")
        assert entry.balanced
        assert [each.rows for each in entry.sources] == [last - first + 1 for first, last in growing.rows()]


@pytest.fixture(autouse=True)
def _several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """T1.csv in six of them."""
    monkeypatch.setattr(publishing, "ROWS", 10_000)


@pytest.fixture
def publisher(broker: Broker, tmp_path: Path) -> Publisher:
    """The shipped contract under a name and with a topic of its own."""
    return make_publisher(broker, tmp_path)


def make_publisher(broker: Broker, tmp_path: Path) -> Publisher:
    """The same in that folder."""
    stream = f"w{uuid4().hex[:12]}"
    text = SHIPPED.read_text("utf-8").replace("wind_turbine\n", f"{stream}\n")
    file = tmp_path / f"{stream}.yaml"
    file.write_text(text.replace("wind_turbine.readings", f"{stream}.readings"), "utf-8")
    contract = load_contract(file)
    assert contract.topic.name == f"{stream}.readings"
    config = {**broker.config, "message.timeout.ms": 10_000}
    ensure_topic(config, contract.topic)
    roots = f"{PROJECT / 'include/data'}:{tmp_path / 'in'}"
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=roots)
    return Publisher(contract, settings, config)


@pytest.fixture
def own(publisher: Publisher) -> Publisher:
    """The same with a source of its own, of three rows."""
    return with_own_source(publisher)


def with_own_source(publisher: Publisher, rows: int = 3) -> Publisher:
    """The same with a source of its own: so many first rows of T1.csv."""
    definition = publisher._file
    file = definition.parent / "in" / "T1.csv"
    file.parent.mkdir()
    shipped = definition.read_text("utf-8")
    definition.write_text(shipped.replace("include/data/wind_turbine/T1.csv", str(file)), "utf-8")
    own = replace(publisher, contract=load_contract(definition))
    own.write(rows)
    return own


@pytest.fixture
def growing(broker: Broker, tmp_path: Path) -> Growing:
    definition = {
        "stream": "growing",
        "source": {"kind": "csv", "path": str(tmp_path / "current.csv")},
        "topic": {"name": f"growing_{tmp_path.name}", "partitions": 2},
        "record": {
            "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm", "timezone": "UTC", "every": "PT1H"},
            "signals": [{"name": "v", "fields": ["v"]}],
        },
    }
    stream = make_stream(tmp_path, broker.config, definition)
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=str(tmp_path))
    return Growing(stream, settings)
