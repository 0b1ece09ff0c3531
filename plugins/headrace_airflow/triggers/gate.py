"""What waits at a gate: one trigger for every condition, which never blocks the triggerer's loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal

from airflow.triggers.base import BaseTrigger, TriggerEvent

from headrace.errors import HeadraceError
from headrace.gates.answers import answers_of
from headrace.gates.conditions import parse_condition
from headrace_airflow.hooks.kafka import KafkaConfigHook

# Brokers and tables are asked by blocking calls. Not in the loop's default executor, nor in asgiref's one
# thread: there a broker that does not answer would hold up every other trigger of the triggerer. Nor do those
# who ask the disk wait behind those who ask a broker.
_CHECKS = {
    asks: ThreadPoolExecutor(max_workers=4, thread_name_prefix=f"headrace-gate-{asks}")
    for asks in ("broker", "disk")
}

PATIENCE = 20
"""A gate that has waited long asks more seldom: once in a twentieth of the time that it has waited."""

SELDOM = 30.0
"""Seconds between two checks at most, but where the DAG wants longer ones."""


class GateTrigger(BaseTrigger):
    """Checks a condition again and again until it is met or the deadline has passed.

    Args:
        condition: the fields of a condition of `headrace.gates.conditions`.
        kafka_conn_id: the Airflow connection of the broker.
        interval: seconds between two checks, until the gate has waited long.
        deadline: seconds since the epoch; it stays the same when another triggerer takes over.
    """

    def __init__(
        self, condition: dict[str, Any], kafka_conn_id: str, interval: float, deadline: float
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.condition = condition
        self.kafka_conn_id = kafka_conn_id
        self.interval = interval
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another process needs to go on waiting."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "condition": self.condition,
            "kafka_conn_id": self.kafka_conn_id,
            "interval": self.interval,
            "deadline": self.deadline,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: the outcome and its text."""
        try:
            condition = parse_condition(self.condition)
            answers = answers_of(await KafkaConfigHook(self.kafka_conn_id).aconfig())
        except HeadraceError as error:
            yield _event("error", str(error))
            return
        self.log.info("Waiting until %s", condition)
        said, began = "it was never checked", time.monotonic()
        loop, check = asyncio.get_running_loop(), partial(condition.check, answers)
        while True:
            try:
                met, now = await loop.run_in_executor(_CHECKS[condition.asks], check)
            except HeadraceError as error:
                if not error.transient:
                    yield _event("error", str(error))
                    return
                met, now = False, str(error)
            if met:
                yield _event("met", now)
                return
            if now != said:
                self.log.info("%s", now)
                said = now
            left = self.deadline - time.time()
            if left <= 0:
                yield _event("timeout", f"the gate did not open in time; last: {said}")
                return
            await asyncio.sleep(min(left, self._pause(time.monotonic() - began)))

    def _pause(self, waited: float) -> float:
        return max(self.interval, min(waited / PATIENCE, SELDOM))


def _event(outcome: Literal["met", "timeout", "error"], text: str) -> TriggerEvent:
    payload = {"outcome": outcome, "text": text}
    return TriggerEvent(payload)  # type: ignore[no-untyped-call]  # Airflow's has no annotations
