"""What every stage that runs as a Spark driver has in common."""

import json
import os
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.driver.protocol import Guardian, Job
from headrace.driver.spark_submit import SPARK_SUBMIT
from headrace.errors import SettingsError
from headrace.offsets import position_json
from headrace.settings import PROJECT
from headrace.tables.slices import Slice
from headrace_airflow.failures import failing_as_task
from headrace_airflow.hooks.spark import DriverHook, refuse_cluster_mode, require_spark_connection
from headrace_airflow.outlet_events import tell_of_outlets
from headrace_airflow.ui.links import SparkWebUI
from headrace_airflow.ui.watched import Watched

if TYPE_CHECKING:
    from airflow.sdk import Context


class SparkStageOperator(SparkSubmitOperator):
    """A stage of one stream that spark-submit runs; everything but its job comes from the connection.

    Args:
        contract: the stream's contract.
        script: the entry point in `spark_jobs/`; each stage names its own.
        kafka_conn_id: the Airflow connection of the broker.
        spark_conn_id: the Airflow connection whose host is Spark's master.

    While it runs, `progress` in the task's state says how far it has come, after each batch.
    """

    operator_extra_links = (SparkWebUI(),)

    def __init__(
        self,
        *,
        contract: Path,
        script: str,
        kafka_conn_id: str = "kafka_default",
        spark_conn_id: str = "spark_default",
        **kwargs: Any,
    ) -> None:
        refuse_cluster_mode(spark_conn_id, kwargs.get("deploy_mode"))
        super().__init__(
            application=str(PROJECT / "spark_jobs" / script),
            conn_id=spark_conn_id,
            name=f"headrace {contract.stem} {Path(script).stem}",
            spark_binary=SPARK_SUBMIT,
            # A retry starts a new driver: the tables, not a stored job id, say what is left to do.
            durable=False,
            multiple_outputs=True,
            **kwargs,
        )
        self.contract = str(contract)
        self.kafka_conn_id = kafka_conn_id
        self.spark_conn_id = spark_conn_id

    def execute(self, context: "Context") -> Any:
        """Do the stage here if it needs no Spark; else hand the job to a driver and wait for its end."""
        with failing_as_task():
            contract = load_contract(Path(self.contract))
            job, answer = self.prepare(contract, context)
            watched = Watched(context)
            if self.done_here(contract, job, watched):
                tell_of_outlets(self, contract, context)
                return answer
            require_spark_connection(self.spark_conn_id)
        # Private to provider 6.3.4 (tests/unit/headrace_airflow/test_provider_internals.py): `execute` makes
        # no hook where there is one; `_spark_binary` is what the constructor was given.
        self._hook = DriverHook(
            job=job,
            tell=watched.tell,
            conn_id=self.spark_conn_id,
            conf=self.conf,
            name=self.name,
            spark_binary=self._spark_binary,
        )
        super().execute(context)
        tell_of_outlets(self, contract, context)
        return answer

    def done_here(self, contract: Contract, job: Job, watched: Watched) -> bool:
        """Do the stage in this process where no Spark is needed; whether that was so."""
        return False

    @abstractmethod
    def prepare(self, contract: Contract, context: "Context") -> tuple[Job, Any]:
        """The driver's job, and what becomes the task's XCom when the driver has done it."""

    def on_kill(self) -> None:
        """End the driver with its task; the provider's own would make a hook where there is none yet."""
        if self._hook is not None:
            self._hook.on_kill()


def guardians() -> tuple[Guardian, ...]:
    """This task's process and the supervisor that started it: a driver outlives neither."""
    return Guardian.of(os.getpid()), Guardian.of(os.getppid())


def end_of(run_slice: Slice) -> dict[str, Any]:
    """What a gate needs to know of a slice; JSON, so that partitions are texts."""
    return {
        "topic_id": run_slice.topic_id,
        "until": position_json(run_slice.until),
    }


def as_text(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration as it can be handed to a process that is not Python.

    Raises:
        SettingsError: it holds functions (a token callback), which Spark's Kafka client cannot call.
    """
    try:
        return dict(json.loads(json.dumps(config)))
    except TypeError as function:
        raise SettingsError(
            f"the Kafka connection holds what only Python can use ({function}); Spark needs the settings of "
            "a mechanism that both clients know, such as SCRAM or TLS"
        ) from None
