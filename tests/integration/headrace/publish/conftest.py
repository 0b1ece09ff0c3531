"""A publisher of T1.csv with a stream, a topic and a warehouse of its own on the tests' broker."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract, CsvSource
from headrace.kafka.topics import ensure_topic
from headrace.publish import publishing
from headrace.publish.publications import Publication, read_publications
from headrace.publish.publishing import Published, publish
from headrace.settings import PROJECT, Settings
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.published import T1, read

SHIPPED = PROJECT / "include/streams/wind_turbine.yaml"

PUBLISHER = """
import sys
from pathlib import Path
from headrace.contract.loader import load_contract
from headrace.publish import publishing
from headrace.settings import load_settings

publishing.ROWS = 10_000
config = {"bootstrap.servers": sys.argv[2]}
publishing.publish(load_contract(Path(sys.argv[1])), load_settings(), config, "killed", report=print)
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

    @cached_property
    def admin(self) -> AdminClient:
        """Kept: a client that nobody holds answers nothing any more."""
        return AdminClient({"bootstrap.servers": self.config["bootstrap.servers"]})

    def publish(self, run_id: str, **more: Any) -> Published:
        """What the task does, in this process."""
        return publish(self.contract, self.settings, self.config, run_id, **more)

    def killed_at(self, point: str) -> None:
        """Publish in a process that ends at `point` by SIGKILL."""
        environment = {
            **os.environ,
            "HEADRACE_HOME": str(self.settings.home),
            "HEADRACE_WAREHOUSE": str(self.settings.warehouse),
            "HEADRACE_SOURCE_ROOTS": self.settings.source_roots,
            "HEADRACE_CRASH_AT": point,
        }
        file = self.settings.home.parent / f"{self.contract.stream}.yaml"
        command = [sys.executable, "-c", PUBLISHER, str(file), self.config["bootstrap.servers"]]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr

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
        return read(self.config, self.topic)

    def written(self) -> list[Message]:
        """Those of open and of aborted transactions too."""
        return read(self.config, self.topic, "read_uncommitted")

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
                "bootstrap.servers": self.config["bootstrap.servers"],
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


@pytest.fixture(autouse=True)
def _several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """T1.csv in six of them."""
    monkeypatch.setattr(publishing, "ROWS", 10_000)


@pytest.fixture
def publisher(broker: Broker, tmp_path: Path) -> Publisher:
    """The shipped contract under a name and with a topic of its own."""
    stream = f"w{uuid4().hex[:12]}"
    text = SHIPPED.read_text("utf-8").replace("wind_turbine\n", f"{stream}\n")
    file = tmp_path / f"{stream}.yaml"
    file.write_text(text.replace("wind_turbine.readings", f"{stream}.readings"), "utf-8")
    contract = load_contract(file)
    assert contract.topic.name == f"{stream}.readings"
    config = {"bootstrap.servers": broker.bootstrap, "message.timeout.ms": 10_000}
    ensure_topic(config, contract.topic)
    roots = f"{PROJECT / 'include/data'}:{tmp_path / 'in'}"
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=roots)
    return Publisher(contract, settings, config)


@pytest.fixture
def own(publisher: Publisher, tmp_path: Path) -> Publisher:
    """The same with a source of its own, of three rows."""
    file = tmp_path / "in" / "T1.csv"
    file.parent.mkdir()
    definition = tmp_path / f"{publisher.contract.stream}.yaml"
    shipped = definition.read_text("utf-8")
    definition.write_text(shipped.replace("include/data/wind_turbine/T1.csv", str(file)), "utf-8")
    own = replace(publisher, contract=load_contract(definition))
    own.write(3)
    return own
