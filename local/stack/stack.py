"""The embedded stack as a whole: broker and Airflow, brought up, looked at and ended together."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from headrace.driver.warm import kept_drivers
from headrace.errors import SettingsError, SetupFailed, StackUnhealthy
from headrace.kafka.login import broker_folder, embedded_broker
from headrace.settings import PROJECT, Settings
from local.install.jars import fetch_jars
from local.install.java import java_home
from local.stack import processes
from local.stack.airflow import (
    SPARK_ARGUMENTS,
    airflow_environment,
    airflow_home,
    airflow_url,
    headrace_environment,
    warm_drivers,
)
from local.stack.broker import Broker, answers
from local.stack.credentials import USER, password
from local.stack.kafka_tools import tools_folder, write_tools
from local.stack.ports import free_port, is_free, require_free
from local.stack.rest_api import Airflow
from local.stack.supervise import Program, State, Supervisor

Report = Callable[[str], None]
"""Takes one line for the person who waits."""

AIRFLOW = {
    "api-server": ("api-server",),
    # Their log servers would listen on 0.0.0.0; on one machine the API server reads the files itself.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
"""Airflow's parts and their command lines."""

DRIVERS = "drivers"
"""The keeper of warm Spark drivers, where there is one."""

REFUSED_IN_PATHS = set("\"'\\$%:,;#")
"""What one of class paths, Spark's lists, supervisord's and Airflow's configuration would take as syntax."""


@dataclass(frozen=True)
class Part:
    """One part of the stack as it is now; `port` is None for parts that listen on none.

    `says`: what it does just now, where that is more than to run; it may hold a run's id as its user gave it.
    """

    name: str
    port: int | None
    pid: int | None
    state: str
    healthy: bool
    log: Path
    says: str = ""


class Stack:
    """The stack of these settings."""

    def __init__(self, settings: Settings) -> None:
        """Look at the settings; nothing is started.

        Raises:
            SettingsError: a path has a character that one of the parts takes as syntax.
        """
        self.settings = settings
        self.home = settings.home_path
        for name, path in (("the checkout", PROJECT), ("HEADRACE_HOME", self.home)):
            if odd := sorted(c for c in str(path) if c in REFUSED_IN_PATHS or not c.isprintable()):
                raise SettingsError(
                    f"The path of {name}, {str(path)!r}, has {' '.join(map(repr, odd))} in it, which Java, "
                    "Spark or Airflow take as syntax. Choose another path: blanks and letters of any "
                    "language will do."
                )
        self.supervisor = Supervisor(self.home)
        self.names = ("broker", *AIRFLOW, *([DRIVERS] if warm_drivers(settings) else []))
        self.api = Airflow(airflow_url(settings), USER, "")

    def client(self) -> Airflow:
        """A logged-in client of the REST API."""
        client = Airflow(airflow_url(self.settings), USER, password(self.home))
        client.login()
        return client

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with FileLock(self.home / "stack.lock", timeout=300):
                yield
        except Timeout:
            raise StackUnhealthy(
                f"Another `make up` or `make down` of {self.home} is still at work after 5 minutes."
            ) from None

    # -- up

    def up(self, report: Report, within: float = 240) -> None:
        """Start what does not run and return when every part is healthy; harmless when repeated.

        Raises:
            PortTaken: a port is held by another process.
            SettingsError: the stack of this home runs with other settings.
            SetupFailed: Java, jars or the database could not be made ready.
            StackUnhealthy: a part did not become healthy `within` seconds.
        """
        with self._alone():
            if self.supervisor.is_running():
                self._require_same_settings()
            else:
                self._start_manager(report)
            self.supervisor.ensure("broker")
            self._migrate(report)
            for name in AIRFLOW:
                self.supervisor.ensure(name)
            self._wait(report, within, {"broker", *AIRFLOW})
            if DRIVERS in self.names:  # now, so that it takes no processor from those that are waited for
                self.supervisor.ensure(DRIVERS)
            self._wait(report, within, {DRIVERS} & {*self.names})

    def _start_manager(self, report: Report) -> None:
        if left := processes.end(self.home):
            report(f"ended {left} processes that an earlier stack left behind")
        require_free(self.settings.kafka_port, "HEADRACE_KAFKA_PORT")
        require_free(self.settings.airflow_port, "HEADRACE_AIRFLOW_PORT")
        broker = self._broker()
        broker.prepare()
        write_tools(broker, tools_folder(self.home))
        environment = {**os.environ, **airflow_environment(self.settings)}
        for inherited in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
            environment.pop(inherited, None)
        airflow_home(self.settings).mkdir(exist_ok=True)
        self.supervisor.start(self._programs(broker), environment)
        self._settings_file.write_text(json.dumps(headrace_environment(self.settings)), encoding="utf-8")

    def _broker(self) -> Broker:
        folder = broker_folder(self.home)
        return Broker(
            java_home(self.home),
            fetch_jars(self.home, "broker"),
            folder,
            self.settings.kafka_port,
            kept_port(folder / "controller.port"),
        )

    def _programs(self, broker: Broker) -> list[Program]:
        python, folder = (sys.executable, "-P", "-m"), airflow_home(self.settings)
        programs = [
            Program("broker", tuple(broker.command), broker.folder),
            *(Program(name, (*python, "airflow", *arguments), folder) for name, arguments in AIRFLOW.items()),
        ]
        if DRIVERS in self.names:
            keeper = (*python, "headrace.driver.keeper", *SPARK_ARGUMENTS)
            programs.append(Program(DRIVERS, keeper, folder))
        return programs

    @property
    def _settings_file(self) -> Path:
        return self.home / "run" / "settings.json"

    def _require_same_settings(self) -> None:
        running = json.loads(self._settings_file.read_text(encoding="utf-8"))
        wanted = headrace_environment(self.settings)
        differing = [f"{name}={running.get(name)}" for name in wanted if running.get(name) != wanted[name]]
        if differing:
            raise SettingsError(
                f"The stack in {self.home} runs with {', '.join(differing)}. Use the same, or end it first "
                "(`make down`), or give this one its own HEADRACE_HOME."
            )

    def _migrate(self, report: Report) -> None:
        stamp, database = (airflow_home(self.settings) / name for name in ("migrated", "airflow.db"))
        airflow = version("apache-airflow")
        if database.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == airflow:
            return
        report("making Airflow's database")
        if not (database.exists() and stamp.exists()):  # an interrupted first migration cannot be continued
            for half_made in airflow_home(self.settings).glob("airflow.db*"):
                half_made.unlink()
        log = self.supervisor.log("migrate")
        with log.open("wb") as out:
            done = subprocess.run(
                (sys.executable, "-P", "-m", "airflow", "db", "migrate"),
                cwd=airflow_home(self.settings),
                env={**os.environ, **airflow_environment(self.settings)},
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise SetupFailed(f"Airflow's database could not be made: see {log}.")
        stamp.write_text(airflow, encoding="utf-8")

    def _wait(self, report: Report, within: float, names: set[str]) -> None:
        started = time.monotonic()
        healthy: set[str] = set()
        while healthy < names:
            parts = [part for part in self.parts() if part.name in names]
            for part in parts:
                if part.healthy and part.name not in healthy:
                    healthy.add(part.name)
                    report(f"{part.name} is healthy{f' on port {part.port}' if part.port else ''}")
                if part.state == "FATAL":
                    raise StackUnhealthy(f"{part.name} ends as soon as it starts: {_tail(part.log)}")
            if time.monotonic() - started > within:
                late = ", ".join(f"{part.name} ({part.log})" for part in parts if not part.healthy)
                raise StackUnhealthy(f"Not healthy after {within:.0f} s: {late}.")
            if healthy < names:
                time.sleep(0.5)

    # -- what is there

    def parts(self) -> list[Part]:
        """Every part as it is now."""
        states = self.supervisor.states()
        health = self.api.health() if states else {}
        ports = {"broker": self.settings.kafka_port, "api-server": self.settings.airflow_port}
        found = []
        for name in self.names:
            state = states.get(name, State(name, "STOPPED", 0, self.supervisor.log(name)))
            healthy, says = False, ""
            if state.state == "RUNNING" and name == DRIVERS:
                kept = kept_drivers(self.home)
                healthy, says = kept is not None, "; ".join(map(str, kept or ()))
            elif state.state == "RUNNING":
                healthy = self._is_healthy(state, health)
            pid = state.pid or None
            found.append(Part(name, ports.get(name), pid, state.state, healthy, state.log, says))
        return found

    def _is_healthy(self, part: State, health: dict[str, dict[str, object]]) -> bool:
        if part.name == "broker":
            return answers(embedded_broker(self.settings))
        if part.name == "api-server":
            return health.get("metadatabase", {}).get("status") == "healthy"
        component = part.name.replace("-", "_")
        reported = health.get(component, {})
        heartbeat = reported.get(f"latest_{component}_heartbeat")
        if reported.get("status") != "healthy" or not isinstance(heartbeat, str):
            return False
        try:
            # A heartbeat of the stack that ran here a moment ago would count as healthy too.
            return datetime.fromisoformat(heartbeat).timestamp() >= psutil.Process(part.pid).create_time()
        except psutil.Error:
            return False

    # -- down

    def down(self) -> int:
        """End everything of this stack and nothing else; returns how many processes there were."""
        with self._alone():
            before = len(processes.belonging(self.home))
            self.supervisor.stop()
            return max(before, processes.end(self.home))


def kept_port(file: Path) -> int:
    """The port that `file` remembers while it is free, else a free one, which it remembers from now on."""
    if file.exists() and is_free(port := int(file.read_text(encoding="ascii"))):
        return port
    port = free_port()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(port), encoding="ascii")
    return port


def _tail(log: Path, lines: int = 15) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = "it has no log"
    return f"{log}\n" + "\n".join(text.splitlines()[-lines:])
