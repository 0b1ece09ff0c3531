"""What waits at a gate: one trigger for every condition, which never blocks the triggerer's loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from airflow.triggers.base import BaseTrigger, TriggerEvent

from headrace.errors import HeadraceError
from headrace.gates.conditions import Verdict, parse_condition
from headrace_airflow.hooks.kafka import KafkaConfigHook

# Brokers and tables are asked by blocking calls. Not in the loop's default executor, nor in asgiref's one
# thread: there a broker that does not answer would hold up every other trigger of the triggerer.
_CHECKS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="headrace-gate")


class GateTrigger(BaseTrigger):
    """Checks a condition again and again until it is met or the deadline has passed.

    Args:
        condition: the fields of a condition of `headrace.gates.conditions`.
        kafka_conn_id: the Airflow connection of the broker.
        interval: seconds between two checks.
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
        said = "it was never checked"
        while True:
            try:
                verdict = await self._check()
            except HeadraceError as error:
                if not error.transient:
                    yield _event("error", str(error))
                    return
                now = str(error)
            else:
                if verdict.met:
                    yield _event("met", verdict.text)
                    return
                now = verdict.text
            if now != said:
                self.log.info("%s", now)
                said = now
            if time.time() >= self.deadline:
                yield _event("timeout", f"the gate did not open in time; last: {said}")
                return
            await asyncio.sleep(self.interval)

    async def _check(self) -> Verdict:
        config = await KafkaConfigHook(self.kafka_conn_id).aconfig()
        condition = parse_condition(self.condition)
        return await asyncio.get_running_loop().run_in_executor(_CHECKS, condition.check, config)


def _event(outcome: Literal["met", "timeout", "error"], text: str) -> TriggerEvent:
    payload = {"outcome": outcome, "text": text}
    return TriggerEvent(payload)  # type: ignore[no-untyped-call]  # Airflow's has no annotations
