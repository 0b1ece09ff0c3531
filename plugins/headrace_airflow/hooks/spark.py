"""Spark drivers, started through the provider's hook: a job goes in, the driver's own last word comes out."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowException

from headrace.crash_points import ASKED
from headrace.driver.compilers import by_size
from headrace.driver.likeness import Likeness, driver_environment
from headrace.driver.process_tree import kill_tree
from headrace.driver.protocol import DriverError, Job, News, read_last_word, read_news
from headrace.driver.warm import Claim, Handover, WarmDriver, claim
from headrace.errors import SettingsError
from headrace.settings import load_settings
from headrace_airflow.failures import task_failure
from headrace_airflow.hooks.connection import connection_of

IN_CLUSTER_MODE = {
    "spark://": ". Besides, a standalone cluster of Spark 4.2 refuses Python drivers",
    "yarn": ". Besides, on YARN the driver's log, which the task log must show, stays on the cluster",
    "k8s://": ". Besides, Kubernetes deletes a driver's pod when it has ended, and its log with it",
}
"""Beginning of a master -> what cluster mode lacks there: provider 6.3.4, Spark 4.2.0."""


class DriverHook(SparkSubmitHook):
    """Runs one driver for one job: one that is kept warm and is what would be started now, else a new one.

    The job, which bears the Kafka connection's secrets, travels in a file that this user alone can read:
    never in the driver's arguments, which every user of the machine can read, and never in a template field,
    which Airflow stores.
    """

    def __init__(self, *, job: Job, tell: Callable[[News], None] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._job = job
        self._tell = tell
        self._driver_error: DriverError | None = None
        self._warm: WarmDriver | None = None
        self._killed = False

    def submit(self, application: str = "", **kwargs: Any) -> None:
        """Run the driver to its end; its lines go to the task log.

        Raises:
            AirflowFailException: the driver ended with an error that no retry can help.
            AirflowException: any other bad end.
        """
        with self._job.handed_over() as variables:
            warm = self._run_warm(application, variables)
            if warm is None:
                self._run_new(application, variables, **kwargs)
            elif warm.ended != 0:
                raise self._failure(warm.ended)

    def _run_new(self, application: str, variables: dict[str, str], **kwargs: Any) -> None:
        try:
            super().submit(application, env=self._environment() | variables, **kwargs)
        except AirflowException:
            # Private to provider 6.3.4: the process of spark-submit, None until `submit` has started it.
            # It tells of no exit code, process or line in public; what is private here is held by
            # tests/unit/headrace_airflow/test_provider_internals.py.
            raise self._failure(self._submit_sp.returncode if self._submit_sp else None) from None

    def on_kill(self) -> None:
        """End the driver: spark-submit's JVM and the Python process that it started."""
        self._killed = True
        # Airflow kills this process 5 seconds after it asked: no time to wait for a driver that may hang.
        if self._warm is not None:
            self.log.info("Ending the Spark driver: %s", self._warm.kill())
        elif self._submit_sp is not None:
            with suppress(psutil.NoSuchProcess):
                killed = kill_tree(psutil.Process(self._submit_sp.pid))
                self.log.info("Ending the Spark driver: %s", killed)

    def _run_warm(self, application: str, variables: dict[str, str]) -> WarmDriver | None:
        """Have a driver that is kept warm do the job; None: there was none, or it ended before it began."""
        likeness = Likeness.now(self._arguments(), self._environment())
        told = f"{Path(application).stem} of {self._job.contract.file.stem}, run {self._job.run_id}"
        found = claim(load_settings().home_path, Claim(likeness=likeness, job=told))
        if isinstance(found, str):
            self.log.info("A new Spark driver is started; of those that are kept warm: %s", found)
            return None
        self._warm = found
        self.log.info("Spark driver %s was kept for this job (%s)", found.process.pid, found.state)
        given = {name: os.environ[name] for name in ASKED if name in os.environ} | variables
        lines = found.run(Handover(application=Path(application), environment=given))
        self._process_spark_submit_log(lines)
        if found.took or found.ended is not None or self._killed:
            return found
        self.log.info("It ended before it began; a new one is started")
        self._warm = None
        return None

    def _arguments(self) -> list[str]:
        """spark-submit's arguments by the connection, without the name to show."""
        # Private to provider 6.3.4, as `_submit_sp`.
        arguments: list[str] = self._build_spark_common_args()
        if "--name" in arguments:
            at = arguments.index("--name")
            del arguments[at : at + 2]
        return arguments

    def _failure(self, code: int | None) -> AirflowException:
        """The driver's bad end as the task's."""
        error = self._driver_error
        if error:
            return task_failure(error.message, transient=error.transient)
        ended = "killed" if code is None else f"exit code {code}"
        return task_failure(
            f"the Spark driver ended ({ended}) without naming a reason of its own: the lines "
            "above are all it said. Airflow tries again.",
            transient=True,
        )

    # Private to provider 6.3.4, as `_submit_sp`: its `submit` calls this once, with all lines of the process.
    def _process_spark_submit_log(self, itr: Iterator[Any]) -> None:
        super()._process_spark_submit_log(self._of_the_log(itr))

    def _of_the_log(self, lines: Iterator[str]) -> Iterator[str]:
        """The driver's lines but for news of the job, which are told, and its last word: the task's error."""
        for line in lines:
            if news := read_news(line):
                if self._tell:
                    self._tell(news)
            elif error := read_last_word(line):
                self._driver_error = error
            else:
                yield line

    def _environment(self) -> dict[str, str]:
        """The driver's, but for the job."""
        return by_size(driver_environment(os.environ), self._job.slice)


def require_spark_connection(conn_id: str) -> None:
    """Make sure of the connection before the provider's hook reads it: it takes YARN where there is none.

    Raises:
        SettingsError: the connection is missing, of another type, or asks for a driver elsewhere.
    """
    name = f"Airflow connection {conn_id}"
    connection = connection_of(conn_id, "type spark, host local[*] or spark://host:port")
    if connection.conn_type != "spark" or not connection.host:
        raise SettingsError(
            f"{name} has type {connection.conn_type!r} and host {connection.host!r}; it needs the type spark "
            "and as host the master: local[*], spark://host:port, yarn or k8s://https://host:port"
        )
    mode = connection.extra_dejson.get("deploy-mode", "client")
    if mode != "client":
        raise SettingsError(f"{name}: {not_by(mode, connection.host)}")


def not_by(mode: str, master: str) -> str:
    """Why a driver runs in client mode only, in words: what else there would be on that master."""
    reason = next((why for beginning, why in IN_CLUSTER_MODE.items() if master.startswith(beginning)), "")
    return (
        f"deploy-mode must be client, not {mode}: a driver ends with its Airflow task and reads its job from "
        f"a file of this host, so it runs where the task runs; executors may be anywhere{reason}"
    )


def refuse_cluster_mode(conn_id: str, mode: str | None) -> None:
    """Refuse, when a DAG is parsed, what can be told without asking Airflow's database.

    Raises:
        SettingsError: the operator's argument, or the connection in the environment, asks for cluster mode.
    """
    given = _in_environment(conn_id)
    asked = mode or given.extra_dejson.get("deploy-mode") if given else mode
    if asked not in {None, "client"}:
        master = str(given.host if given else "")
        raise SettingsError(f"Airflow connection {conn_id}: {not_by(str(asked), master)}")


def _in_environment(conn_id: str) -> Connection | None:
    """The connection, where a variable of the environment has it as JSON."""
    given = os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}", "")
    try:
        return Connection.from_json(given) if given.startswith("{") else None
    except (ValueError, TypeError, AttributeError):  # the task names what is wrong with it
        return None
