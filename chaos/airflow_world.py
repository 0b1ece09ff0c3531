"""A trial's world inside a real stack: Airflow runs the stages, and recovers what dies of its own parts."""

import shutil
from pathlib import Path
from typing import Any

from chaos.world import World
from headrace.driver.warm import KeptDriver, kept_drivers
from headrace.kafka.login import embedded_broker
from headrace.settings import Settings, load_settings
from local.install.jars import ROOTS, fetch_jars
from local.stack.airflow import airflow_home
from local.stack.ports import free_port
from local.stack.rest_api import Airflow
from local.stack.stack import Stack
from testbed.waiting import awaited

ENDED = {"success", "failed"}
PATIENCE = 900.0


class StackOfTrials:
    """A stack in a fresh home, which reads contracts and sources of trials in `folder`."""

    def __init__(self, folder: Path) -> None:
        home = folder / "stack"
        (home / "streams").mkdir(parents=True)
        jars = [fetch_jars(load_settings().home_path, name) for name in ROOTS]
        (home / "jars").symlink_to(jars[0].parent)
        self.settings = Settings(
            home=home,
            warehouse=folder / "stack-warehouse",
            streams=home / "streams",
            source_roots=str(folder),
            airflow_port=free_port(),
            kafka_port=free_port(),
            warm_drivers=1,
        )
        self.stack = Stack(self.settings)
        self.stack.up(lambda _: None)
        self.airflow: Airflow = self.stack.client()

    def pid(self, part: str) -> int:
        """The process of a part, once it runs."""
        return int(awaited(lambda: self._running(part)))

    def _running(self, part: str) -> int | None:
        state = self.stack.supervisor.state(part)
        return state.pid if state.state == "RUNNING" else None

    def kept(self) -> tuple[KeptDriver, ...]:
        """The drivers that it keeps; none while their keeper does not answer."""
        return kept_drivers(self.settings.home_path) or ()

    def lose_database(self) -> None:
        """Airflow's database is gone; then `make down` and `make up`."""
        for file in airflow_home(self.settings).glob("airflow.db*"):
            file.unlink()
        self.stack.down()
        self.stack.up(lambda _: None)
        self.airflow = self.stack.client()

    def close(self) -> None:
        """End it with everything that belongs to it."""
        self.stack.down()


class AirflowWorld(World):
    """The stream is a DAG of the stack."""

    @property
    def stack(self) -> StackOfTrials:
        """The stack, brought up with the first trial that needs it."""
        if self.bench.stack is None:
            self.bench.stack = StackOfTrials(self.bench.folder)
        return self.bench.stack

    @property
    def settings(self) -> Settings:
        """The stack's."""
        return self.stack.settings

    @property
    def connection(self) -> dict[str, Any]:
        """Of the stack's own broker."""
        return embedded_broker(self.settings)

    @property
    def contracts(self) -> Path:
        """Where the stack reads contracts."""
        return self.settings.streams_path

    def idle_driver(self) -> int:
        """The JVM of a driver that is kept warm, once one is idle."""

        def idle() -> int | None:
            return next((each.process.pid for each in self.stack.kept() if each.state == "idle"), None)

        return int(awaited(idle, seconds=PATIENCE, every=0.5))

    def trigger(self) -> None:
        """Start the stream's run."""
        airflow = self.stack.airflow
        awaited(lambda: airflow.dag(self.name), seconds=PATIENCE, every=1)
        airflow.unpause(self.name)
        self.run_id = airflow.trigger(self.name)

    def task(self, task_id: str) -> dict[str, Any]:
        """A task of the run as it is now."""
        found = self.stack.airflow.task_instances(self.name, self.run_id)
        return next(task for task in found if task["task_id"] == task_id)

    def await_state(self, task_id: str, state: str) -> None:
        """Return when the task is in that state.

        Raises:
            AssertionError: the run ended first.
        """

        def reached() -> bool:
            if str(self.task(task_id)["state"]) == state:
                return True
            run = str(self.stack.airflow.run(self.name, self.run_id)["state"])
            assert run not in ENDED, f"the run is {run}, its {task_id} was not {state}"
            return False

        awaited(reached, seconds=PATIENCE, every=0.5)

    def await_end(self) -> str:
        """The run's last state."""

        def ended() -> str | None:
            state = str(self.stack.airflow.run(self.name, self.run_id)["state"])
            return state if state in ENDED else None

        return str(awaited(ended, seconds=PATIENCE, every=0.5))

    def close(self, keep: bool) -> None:
        """The DAG goes with its contract."""
        super().close(keep)
        self.stream.file.unlink()
        if not keep:
            shutil.rmtree(self.tables, ignore_errors=True)
