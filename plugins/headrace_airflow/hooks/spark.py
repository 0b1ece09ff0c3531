"""Spark drivers, started through the provider's hook: a job goes in, the driver's own last word comes out."""

import os
from collections.abc import Iterator
from typing import Any

import psutil
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

from headrace.driver.protocol import DriverError, Job, read_last_word
from headrace.errors import SettingsError
from headrace_airflow.failures import task_failure


class DriverHook(SparkSubmitHook):
    """Runs one driver for one job.

    The job, which bears the Kafka connection's secrets, travels in the driver's environment: never in its
    arguments, which every user of the machine can read, and never in a template field, which Airflow stores.
    """

    def __init__(self, *, job: Job, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._job = job
        self._driver_error: DriverError | None = None

    def submit(self, application: str = "", **kwargs: Any) -> None:
        """Run the driver to its end; its lines go to the task log.

        Raises:
            AirflowFailException: the driver ended with an error that no retry can help.
            AirflowException: any other bad end.
        """
        try:
            super().submit(application, env=self._environment(), **kwargs)
        except AirflowException:
            error = self._driver_error
            if error:
                raise task_failure(error.message, transient=error.transient) from None
            # Private to provider 6.3.4: the process of spark-submit, None until `submit` has started it.
            # It tells of no exit code, process or line in public; what is private here is held by
            # tests/unit/headrace_airflow/test_provider_internals.py.
            ended = self._submit_sp.returncode if self._submit_sp else None
            raise task_failure(
                f"the Spark driver ended (exit code {ended}) without naming a reason of its own: the lines "
                "above are all it said. Airflow tries again.",
                transient=True,
            ) from None

    def on_kill(self) -> None:
        """End the driver: spark-submit's JVM and the Python process that it started."""
        if self._submit_sp is None:
            return
        try:
            submit = psutil.Process(self._submit_sp.pid)
            tree = [submit, *submit.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        self.log.info("Ending the Spark driver: %s", ", ".join(str(process.pid) for process in tree))
        # Airflow kills this process 5 seconds after it asked: no time to wait for a driver that may hang.
        # A driver may be killed at any point; the tables know where it stood.
        for process in tree:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue

    # Private to provider 6.3.4, as `_submit_sp`: its `submit` calls this once, with all lines of the process.
    def _process_spark_submit_log(self, itr: Iterator[Any]) -> None:
        super()._process_spark_submit_log(self._without_last_word(itr))

    def _without_last_word(self, lines: Iterator[str]) -> Iterator[str]:
        """The driver's lines but its last word, which becomes the task's error."""
        for line in lines:
            error = read_last_word(line)
            if error is None:
                yield line
            else:
                self._driver_error = error

    def _environment(self) -> dict[str, str]:
        # Airflow's own secrets (database, JWT, connections) are none of the driver's business.
        own = {
            name: value for name, value in os.environ.items() if not name.lstrip("_").startswith("AIRFLOW")
        }
        return {**own, **self._job.environment()}


def require_spark_connection(conn_id: str) -> None:
    """Make sure of the connection before the provider's hook reads it: it takes YARN where there is none.

    Raises:
        SettingsError: the connection is missing, of another type, or asks for a driver elsewhere.
    """
    name = f"Airflow connection {conn_id}"
    try:
        connection = SparkSubmitHook.get_connection(conn_id)
    except AirflowNotFoundException as absent:
        raise SettingsError(
            f"{name} is missing; add it (type spark, host local[*] or spark://host:port) under Admin > "
            f"Connections or as AIRFLOW_CONN_{conn_id.upper()}"
        ) from absent
    if connection.conn_type != "spark" or not connection.host:
        raise SettingsError(
            f"{name} has type {connection.conn_type!r} and host {connection.host!r}; it needs the type spark "
            "and as host the master: local[*], spark://host:port, yarn or k8s://https://host:port"
        )
    if connection.extra_dejson.get("deploy-mode", "client") != "client":
        raise SettingsError(
            f"{name}: deploy-mode must be client: a driver ends with its Airflow task, so it runs where "
            "the task runs; executors may be anywhere"
        )
