"""A stream of its own for each case, in the shared stack: its contract, source, topic and runs."""

import gzip
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault

import psutil
import yaml
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # lacks __all__

from headrace.kafka.login import embedded_broker
from headrace.kafka.topics import log_end
from headrace.settings import PROJECT
from local.stack.airflow import airflow_environment
from testbed.pipeline import Pipeline

SHIPPED = PROJECT / "include" / "streams" / "wind_turbine.yaml"
LINES = (PROJECT / "include" / "data" / "wind_turbine" / "T1.csv").read_bytes().splitlines(keepends=True)
HEADER, *ROWS = LINES
GOOD = LINES[:4]
NAMES = ("Date/Time", "LV_ActivePower", "Wind_Speed", "Theoretical_Power_Curve", "Wind_Direction")


@dataclass
class DagStream:
    """The stream `pipeline.dag`: the wind turbine's contract and three rows, until a case changes them."""

    pipeline: Pipeline
    contract: dict[str, Any] = field(init=False)
    runs: list[str] = field(default_factory=list, init=False)
    by_hand: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.contract = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
        self.contract["stream"] = self.name
        self.contract["topic"] |= {"name": self.topic, "partitions": 1}
        self.contract["landing"]["engine"] = "worker"  # a JVM for three rows is ten seconds of processor time
        self.read_from(self.source)
        self.write(*GOOD)

    @property
    def name(self) -> str:
        return self.pipeline.dag

    @property
    def topic(self) -> str:
        return f"{self.name}.readings"

    @property
    def source(self) -> Path:
        """The stream's CSV file, in a folder that sources may be read from."""
        return self.pipeline.settings.source_root_paths[1] / f"{self.name}.csv"

    @property
    def contract_file(self) -> Path:
        return self.pipeline.settings.streams_path / f"{self.name}.yaml"

    @property
    def broker(self) -> dict[str, Any]:
        return embedded_broker(self.pipeline.settings)

    # -- the source

    def write(self, *lines: bytes) -> None:
        self.source.write_bytes(b"".join(lines))

    def read_from(self, path: Path | str) -> None:
        """Point the contract's source there."""
        self.contract["source"] = {"kind": "csv", "path": str(path)}

    def compress(self, cut_off: int = 0) -> None:
        """The source as a gzip file, without its last bytes."""
        file = self.source.with_suffix(".csv.gz")
        whole = gzip.compress(b"".join(GOOD))
        file.write_bytes(whole[: len(whole) - cut_off])
        self.read_from(file)

    # -- the contract

    def change(self, part: str, **fields: Any) -> None:
        """Change fields of one part of the contract."""
        self.contract[part] = {**self.contract[part], **fields}

    def write_contract(self) -> None:
        scratch = self.contract_file.with_suffix(".scratch")
        scratch.write_text(yaml.safe_dump(self.contract, allow_unicode=True, sort_keys=False), "utf-8")
        scratch.replace(self.contract_file)

    # -- the topic

    def make_topic(self, partitions: int = 1, **config: str) -> None:
        new = NewTopic(self.topic, partitions, 1, config={k.replace("_", "."): v for k, v in config.items()})
        admin = AdminClient(self.broker)
        admin.create_topics([new])[self.topic].result(30)

    def delete_topic(self) -> None:
        admin = AdminClient(self.broker)
        admin.delete_topics([self.topic])[self.topic].result(30)
        self.pipeline.awaited(lambda: self.topic not in admin.list_topics(timeout=10).topics, seconds=30)

    def produce(self, rows: range) -> None:
        """Rows of T1.csv, as an outside producer sends them."""
        producer = Producer(self.broker)
        for row in rows:
            values = ROWS[row].decode().rstrip("\r\n").split(",")
            producer.produce(self.topic, json.dumps(dict(zip(NAMES, values, strict=True))))
        assert producer.flush(30) == 0

    def expire(self, until: int) -> None:
        """What retention does: the log begins at `until`."""
        admin = AdminClient(self.broker)
        for future in admin.delete_records([TopicPartition(self.topic, 0, until)]).values():
            future.result(30)

    # -- runs

    def start(self, **conf: bool) -> None:
        """Trigger a run."""
        self.runs.append(self.pipeline.start(**conf))

    def ended(self) -> str:
        """Wait for the newest run's end; returns its state."""
        return self.pipeline.ended(self.runs[-1])

    def run_by_hand(self, variable: str, value: str | None) -> None:
        """A run by `airflow dags test` in an environment with another value of a variable, or without it.

        The stack's own workers keep the environment that they started with. The DAG stays paused meanwhile,
        which keeps the scheduler off the run.
        """
        self.pipeline.awaited(lambda: self.pipeline.airflow.dag(self.name), seconds=120)
        environment = {**os.environ, **airflow_environment(self.pipeline.settings), variable: value or ""}
        if value is None:
            del environment[variable]
        command = [sys.executable, "-P", "-m", "airflow", "dags", "test", self.name]
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )
        (run,) = self.pipeline.runs()
        self.runs.append(run)
        self.by_hand[self.runs[-1]] = done.stdout

    def said(self, task_id: str) -> str:
        """The log of a task's first try in the newest run; of a run by hand, its output."""
        if self.runs[-1] in self.by_hand:
            return self.by_hand[self.runs[-1]]
        return "\n".join(self.pipeline.airflow.log(self.name, self.runs[-1], task_id, 1))

    # -- the whole stack's parts

    def stop_broker(self) -> None:
        with suppress(Fault):  # it does not run
            self.pipeline.stack.supervisor._call("stopProcess", "broker")

    def start_broker(self) -> None:
        self.pipeline.stack.supervisor.ensure("broker")

    def stop_broker_while_it_publishes(self) -> None:
        """Once the first transaction is committed and many are still to come."""
        self.pipeline.awaited(
            lambda: self.pipeline.task(self.runs[-1], "publish")["state"] == "running", seconds=120
        )
        self.pipeline.awaited(lambda: log_end(self.broker, self.topic)[0] > 0, seconds=60)
        self.stop_broker()

    def limit_files(self, megabytes: int | None) -> None:
        """`ulimit -f` of Airflow's workers, and so of the tasks that they start from now on."""
        limit = psutil.RLIM_INFINITY if megabytes is None else megabytes << 20
        scheduler = psutil.Process(self.pipeline.stack.supervisor.state("scheduler").pid)
        for worker in scheduler.children(recursive=True):
            worker.rlimit(psutil.RLIMIT_FSIZE, (limit, psutil.RLIM_INFINITY))
