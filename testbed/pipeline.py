"""A whole stack of the tests' own in a fresh home, and what tests do with one of its DAGs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil

from headrace.driver.process_tree import tree
from headrace.driver.warm import KeptDriver, kept_drivers
from headrace.settings import PROJECT, Settings, load_settings
from headrace.tables.warehouse import Warehouse
from headrace_airflow.accepted_loss import variable_of
from local.install.jars import ROOTS, fetch_jars
from local.stack import processes
from local.stack.airflow import headrace_environment
from local.stack.ports import free_port
from local.stack.rest_api import Airflow
from local.stack.stack import Stack
from testbed.waiting import awaited

DAG = "wind_turbine"
ENDED = {"success", "failed"}


@dataclass(frozen=True)
class Pipeline:
    """The running stack and what tests do with one of its DAGs."""

    settings: Settings
    stack: Stack
    airflow: Airflow
    dag: str = DAG

    def of(self, dag: str) -> "Pipeline":
        """The same stack, another DAG of it."""
        return replace(self, dag=dag)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse.of(self.settings, self.dag)

    def start(self, **conf: bool) -> str:
        """Trigger a run; returns its id."""
        self.awaited(lambda: self.airflow.dag(self.dag), seconds=120)
        self.airflow.unpause(self.dag)
        return self.airflow.trigger(self.dag, conf)

    def ended(self, run_id: str) -> str:
        """Wait for the run's end; returns its state."""

        def state() -> str | None:
            now = str(self.airflow.run(self.dag, run_id)["state"])
            return now if now in ENDED else None

        return str(self.awaited(state, seconds=400))

    def mark_success(self, run_id: str, task_id: str) -> None:
        """What a person does with a task in the web UI: it counts as done, and has done nothing."""
        path = f"/api/v2/dags/{self.dag}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task_id}"
        self.airflow._http.patch(path, json={"new_state": "success"}).raise_for_status()

    def clear(self, run_id: str, task_id: str) -> None:
        """Clear a task and all after it, and wait until the run goes on."""
        what = {"dag_run_id": run_id, "task_ids": [task_id], "include_downstream": True}
        asked = {**what, "dry_run": False, "only_failed": False, "reset_dag_runs": True}
        path = f"/api/v2/dags/{self.dag}/clearTaskInstances"
        self.airflow._http.post(path, json=asked).raise_for_status()

    def allow_loss(self, run_id: str) -> None:
        """What a person does who may set Airflow's variables: allow it to the run, and clear its `land`."""
        variable = {"key": variable_of(self.dag), "value": run_id}
        self.airflow._http.post("/api/v2/variables", json=variable).raise_for_status()
        self.clear(run_id, "land")

    def task(self, run_id: str, task_id: str) -> dict[str, Any]:
        """One task of a run as it is now."""
        tasks = self.airflow.task_instances(self.dag, run_id)
        return next(task for task in tasks if task["task_id"] == task_id)

    def states(self, run_id: str) -> dict[str, str]:
        """Every task's state."""
        return {task["task_id"]: task["state"] for task in self.airflow.task_instances(self.dag, run_id)}

    def runs(self) -> list[str]:
        """The ids of the DAG's runs, the newest first."""
        path = f"/dags/{quote(self.dag, safe='')}/dagRuns"
        return [run["dag_run_id"] for run in self.airflow.get(path, order_by="-id")["dag_runs"]]

    def report_link(self, run_id: str) -> str:
        """Where the button of the run's report leads to."""
        ids = (quote(part, safe="") for part in (self.dag, run_id))
        path = "/dags/{}/dagRuns/{}/taskInstances/report/links".format(*ids)
        return str(self.airflow.get(path)["extra_links"]["Report"])

    def page(self, url: str) -> httpx.Response:
        """A page of the web UI, as the logged-in user sees it."""
        return self.airflow._http.get(url)

    def drivers(self, stage: str) -> list[psutil.Process]:
        """The JVM and its Python that run that stage in this stack: a new driver's, or a kept one's."""
        kept = [each.process.pid for each in self._kept() if (each.job or "").startswith(stage)]
        if kept:
            return tree(psutil.Process(kept[0]))
        own = processes.belonging(self.settings.home_path)
        return [each for each in own if _runs(each, f"{stage}.py")]

    def task_of(self, driver: list[psutil.Process]) -> psutil.Process:
        """The task's process that waits for that driver."""
        kept = {each.process.pid: each.task for each in self._kept()}
        jvm = next(process for process in driver if process.name() == "java")
        return psutil.Process(kept.get(jvm.pid) or jvm.ppid())

    def _kept(self) -> tuple[KeptDriver, ...]:
        return kept_drivers(self.settings.home_path) or ()

    def awaited(self, condition: Any, seconds: float) -> Any:
        """What `condition` answers, as soon as that is something; Airflow is not asked all the time."""
        return awaited(condition, seconds, every=0.25)


def _runs(process: psutil.Process, script: str) -> bool:
    try:
        return any(part.endswith(f"spark_jobs/{script}") for part in process.cmdline())
    except psutil.Error:  # it ended meanwhile
        return False


def fresh_settings(home: Path, *sources: Path) -> Settings:
    """Settings of a stack of its own in `home`, with the shipped contracts and the jars that are there."""
    home.mkdir(parents=True, exist_ok=True)
    streams = home.with_name("streams")
    shutil.copytree(PROJECT / "include" / "streams", streams)
    jars = [fetch_jars(load_settings().home_path, name) for name in ROOTS]
    (home / "jars").symlink_to(jars[0].parent)
    # /proc: a file that nobody can read, whoever runs the tests, is /proc/self/mem.
    roots = (PROJECT / "include" / "data", *sources, Path("/proc"))
    return Settings(
        home=home,
        warehouse=home.with_name("ware house"),
        streams=streams,
        source_roots=":".join(map(str, roots)),
        airflow_port=free_port(),
        kafka_port=free_port(),
        warm_drivers=1,
    )


def foreign_settings(folder: Path) -> Settings:
    """Fresh settings whose every path has blanks and letters of other alphabets."""
    settings = fresh_settings(folder / "Zoës Ωμέγα 日本 home")
    return settings.model_copy(update={"warehouse": folder / "Lager ł"})


def local(verb: str, settings: Settings, zone: str, folder: Path) -> "subprocess.Popen[str]":
    """`make <verb>` up to the set-up, in that time zone and folder, with no terminal and no locale."""
    machine = {"TZ": zone, "LANG": "C", "LC_ALL": "C", "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(
        [sys.executable, "-m", "local", verb],
        cwd=folder,
        env={**os.environ, **headrace_environment(settings), **machine},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )


@contextmanager
def running_pipeline(folder: Path, sources: Path) -> Iterator[Pipeline]:
    """The stack, up; ended with everything that belongs to it.

    Its home has blanks, a foreign letter and more than a socket's path may have; `make up` is given twice at
    once, in a zone and a locale that must not matter.
    """
    home = folder / "Müllers stack" / ("deep " * 12).strip()
    settings = fresh_settings(home, sources)
    stack = Stack(settings)
    try:
        both = [local("up", settings, "America/New_York", home) for _ in range(2)]
        outputs = [one.communicate(timeout=400)[0] for one in both]
        assert [one.returncode for one in both] == [0, 0], outputs
        yield Pipeline(settings, stack, stack.client())
    finally:
        stack.down()
        assert processes.belonging(home) == []


def manager_pid(stack: Stack) -> int:
    """The process manager's own process."""
    return int(stack.supervisor._call("getPID"))
