"""What waits at a gate. Brokers that answer are in tests/e2e; here is what happens when none does."""

import asyncio
import json
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from headrace_airflow.triggers.gate import GateTrigger
from testbed.conditions import ASKS_BROKER, OPEN, SHUT


def trigger(
    condition: dict[str, Any], deadline: float = 0, kafka_conn_id: str = "kafka_default"
) -> GateTrigger:
    return GateTrigger(condition, kafka_conn_id, interval=0.01, deadline=deadline)


async def first_event(waiting: GateTrigger) -> dict[str, str]:
    event = await anext(aiter(waiting.run()))
    assert isinstance(event, TriggerEvent)
    payload: dict[str, str] = event.payload
    return payload


def test_a_trigger_survives_the_way_to_another_process() -> None:
    path, kwargs = trigger(SHUT, deadline=time.time() + 60).serialize()
    kwargs = json.loads(json.dumps(kwargs))
    module, name = path.rsplit(".", 1)
    assert getattr(import_module(module), name)(**kwargs).serialize() == (path, kwargs)


@pytest.mark.usefixtures("connect")
def test_a_condition_that_is_met_ends_the_wait() -> None:
    event = asyncio.run(first_event(trigger(OPEN)))
    assert event["outcome"] == "met"


@pytest.mark.usefixtures("connect")
def test_the_deadline_ends_the_wait_and_says_what_was_missing() -> None:
    event = asyncio.run(first_event(trigger(SHUT)))
    assert event["outcome"] == "timeout"
    assert "5 offsets before 0:5 are not landed" in event["text"]


@pytest.mark.usefixtures("connect")
def test_a_broker_that_is_away_is_asked_until_the_deadline_and_named() -> None:
    event = asyncio.run(first_event(trigger(ASKS_BROKER)))
    assert event["outcome"] == "timeout"
    assert "[HR301] broker 127.0.0.1:1 did not answer" in event["text"]


def test_what_no_waiting_can_help_ends_the_wait_at_once() -> None:
    event = asyncio.run(first_event(trigger(OPEN, time.time() + 3600, kafka_conn_id="not_there")))
    assert event["outcome"] == "error"
    assert "connection not_there is missing" in event["text"]


def test_a_silent_broker_does_not_block_the_triggerers_loop(connect: Callable[[int], None]) -> None:
    async def scenario() -> bool:
        """Whether the loop took the connection of a check while that check was under way."""
        connected = asyncio.Event()

        async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            connected.set()

        # This broker lives in the very loop that the trigger runs in: blocked, the loop could not take the
        # connection before the check had given up and, the deadline being past, the trigger had ended.
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        connect(server.sockets[0].getsockname()[1])
        waiting = asyncio.create_task(first_event(trigger(ASKS_BROKER)))
        await connected.wait()
        meanwhile = not waiting.done()
        event = await waiting
        assert event["outcome"] == "timeout"
        server.close()
        return meanwhile

    assert asyncio.run(scenario())
