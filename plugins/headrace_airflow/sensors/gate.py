"""The gate between two stages: it opens when a condition is met, and holds no worker while it waits."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from headrace.errors import HeadraceError
from headrace_airflow.failures import failing_as_task
from headrace_airflow.operators.stage import kafka_config

if TYPE_CHECKING:
    from airflow.sdk import Context

GRACE = timedelta(minutes=5)
"""How long after the deadline Airflow itself ends a gate whose triggerer does not answer."""


class Gate(BaseSensorOperator):
    """Checks at once, and defers to the triggerer if the condition is not met.

    Args:
        until: what it waits for, by a constructor of `headrace_airflow.sensors.conditions`; its values may be
            XComs of earlier tasks.
        kafka_conn_id: the Airflow connection of the broker.
        timeout: seconds until the gate gives up, counted from its first check.
        poke_interval: seconds between two checks; a gate that has waited long asks more seldom, in the
            end every 30 seconds.
    """

    template_fields = ("until",)

    def __init__(
        self,
        *,
        until: dict[str, Any],
        kafka_conn_id: str = "kafka_default",
        timeout: float = 900,
        poke_interval: float = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, poke_interval=poke_interval, **kwargs)
        self.until = until
        self.kafka_conn_id = kafka_conn_id

    def execute(self, context: "Context") -> None:
        """Check now; wait in the triggerer only if need be."""
        from headrace.gates.answers import Answers
        from headrace.gates.conditions import parse_condition

        deadline = time.time() + self.timeout
        with failing_as_task():
            condition = parse_condition(self.until)
            try:
                verdict = condition.check(Answers(kafka_config(self.kafka_conn_id)))
            except HeadraceError as error:
                if not error.transient:
                    raise
                self.log.warning("%s", error)
            else:
                self.log.info("%s", verdict.text)
                if verdict.met:
                    return
        from headrace_airflow.triggers.gate import GateTrigger

        self.log.info("Waiting in the triggerer until %s", condition)
        self.defer(
            trigger=GateTrigger(
                condition=condition.model_dump(mode="json"),
                kafka_conn_id=self.kafka_conn_id,
                interval=self.poke_interval,
                deadline=deadline,
            ),
            method_name=self.resume.__name__,
            timeout=timedelta(seconds=self.timeout) + GRACE,
        )

    def resume(self, context: "Context", event: dict[str, str]) -> None:
        """End the task as the trigger's event says.

        Raises:
            AirflowSensorTimeout: the condition was not met until the deadline.
            AirflowFailException: the condition can never be met.
        """
        if event["outcome"] == "met":
            self.log.info("%s", event["text"])
            return
        raise (AirflowSensorTimeout if event["outcome"] == "timeout" else AirflowFailException)(event["text"])
