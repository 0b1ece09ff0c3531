"""A whole stack of the tests' own: broker, Airflow, warehouse and contracts, in a fresh home."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Producer
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from headrace.settings import PROJECT, Settings, load_settings
from headrace.warehouse import Warehouse
from local import processes
from local.jars import ROOTS, fetch_jars
from local.ports import free_port
from local.rest import Airflow
from local.stack import Stack

DAG = "wind_turbine"
ENDED = {"success", "failed"}


@dataclass(frozen=True)
class Pipeline:
    """The running stack and what tests do with it."""

    settings: Settings
    airflow: Airflow

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse.of(self.settings, DAG)

    def start(self, **conf: bool) -> str:
        """Trigger a run; returns its id."""
        self.awaited(lambda: self.airflow.dag(DAG), seconds=120)
        self.airflow.unpause(DAG)
        return self.airflow.trigger(DAG, conf)

    def ended(self, run_id: str) -> str:
        """Wait for the run's end; returns its state."""

        def state() -> str | None:
            now = str(self.airflow.run(DAG, run_id)["state"])
            return now if now in ENDED else None

        return str(self.awaited(state, seconds=400))

    def task(self, run_id: str, task_id: str) -> dict[str, Any]:
        """One task of a run as it is now."""
        tasks = self.airflow.task_instances(DAG, run_id)
        return next(task for task in tasks if task["task_id"] == task_id)

    def states(self, run_id: str) -> dict[str, str]:
        """Every task's state."""
        return {task["task_id"]: task["state"] for task in self.airflow.task_instances(DAG, run_id)}

    def drivers(self, script: str) -> list[psutil.Process]:
        """The live processes of this stack that run that Spark script: the JVM and its Python."""
        return [each for each in processes.belonging(self.settings.home_path) if _runs(each, script)]

    def awaited(self, condition: Any, seconds: float) -> Any:
        """What `condition` answers, as soon as that is something."""
        waiting = Retrying(
            retry=retry_if_result(lambda answer: not answer),
            wait=wait_fixed(0.25),
            stop=stop_after_delay(seconds),
        )
        return waiting(condition)


def _runs(process: psutil.Process, script: str) -> bool:
    try:
        return any(part.endswith(f"spark_jobs/{script}") for part in process.cmdline())
    except psutil.Error:  # it ended meanwhile
        return False


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The stack, up; ended with everything that belongs to it."""
    home = tmp_path_factory.mktemp("stack with a blank")
    shutil.copytree(PROJECT / "include" / "streams", home / "streams")
    settings = Settings(
        home=home,
        warehouse=home / "warehouse",
        streams=home / "streams",
        airflow_port=free_port(),
        kafka_port=free_port(),
    )
    jars = [fetch_jars(load_settings().home_path, name) for name in ROOTS]
    (home / "jars").symlink_to(jars[0].parent)
    stack = Stack(settings)
    try:
        stack.up(print)
        yield Pipeline(settings, stack.client())
    finally:
        stack.down()
        assert processes.belonging(home) == []


@pytest.fixture(scope="session")
def first_run(pipeline: Pipeline) -> str:
    """A finished run on the fresh stack; its id."""
    run_id = pipeline.start()
    assert pipeline.ended(run_id) == "success", pipeline.states(run_id)
    return run_id


@pytest.fixture(scope="session")
def open_transaction(pipeline: Pipeline, first_run: str) -> Producer:
    """Somebody else's transaction in the stream's topic: what comes after its record stays invisible."""
    producer = Producer(
        {
            "bootstrap.servers": f"127.0.0.1:{pipeline.settings.kafka_port}",
            "transactional.id": "somebody-else",
            "transaction.timeout.ms": 600_000,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("wind_turbine.readings", value=b"never to be seen", partition=0)
    assert producer.flush(30) == 0
    return producer


@pytest.fixture(scope="session")
def republished(pipeline: Pipeline, open_transaction: Producer) -> str:
    """A run that publishes the source once more, behind the open transaction; its id, as soon as it runs."""
    return pipeline.start(republish=True)


@pytest.fixture
def broken_contract(pipeline: Pipeline) -> Iterator[Path]:
    """A contract with a wrong field beside the sound one, gone after the test."""
    text = (PROJECT / "include" / "streams" / "wind_turbine.yaml").read_text("utf-8")
    file = pipeline.settings.streams_path / "broken.yaml"
    file.write_text(
        text.replace("stream: wind_turbine", "stream: broken").replace(
            "partitions: 4", "partitions: <b>many</b>"
        ),
        "utf-8",
    )
    yield file
    file.unlink()
