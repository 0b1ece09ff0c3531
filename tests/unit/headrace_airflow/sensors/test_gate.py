"""The gate and its trigger. Brokers that answer are in tests/e2e; here is what happens when none does."""

import asyncio
import json
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from airflow.triggers.base import TriggerEvent

from headrace_airflow.sensors.gate import Gate
from headrace_airflow.triggers.gate import GateTrigger

OPEN = {"kind": "landed", "stream": "s", "topic_id": "t", "until": {}}
SHUT = {"kind": "landed", "stream": "s", "topic_id": "t", "until": {"0": 5}}
ASKS_BROKER = {"kind": "topic_ready", "topic": "t", "partitions": 1}

Connect = Callable[[int], None]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connect:
    """Points `kafka_default` at a port; questions to the broker end after a moment."""
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path / "warehouse"))
    monkeypatch.setattr("headrace.kafka.topics.ANSWER_SECONDS", 0.5)

    def at(port: int) -> None:
        extra = {"bootstrap.servers": f"127.0.0.1:{port}"}
        monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps({"conn_type": "kafka", "extra": extra}))

    at(1)  # nothing listens on port 1
    return at


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


def test_a_silent_broker_does_not_block_the_triggerers_loop(connect: Connect) -> None:
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


@pytest.mark.usefixtures("connect")
def test_an_open_gate_does_not_defer() -> None:
    Gate(task_id="gate", condition=OPEN).execute({})


@pytest.mark.usefixtures("connect")
@pytest.mark.parametrize("condition", [SHUT, ASKS_BROKER])
def test_a_shut_gate_defers_with_its_deadline(condition: dict[str, Any]) -> None:
    before = time.time()
    with pytest.raises(TaskDeferred) as deferred:
        Gate(task_id="gate", condition=condition, timeout=60).execute({})
    waiting = deferred.value.trigger
    assert isinstance(waiting, GateTrigger)
    assert before + 60 <= waiting.deadline <= time.time() + 60
    assert deferred.value.method_name == "resume"


@pytest.mark.usefixtures("connect")
def test_a_gate_without_a_known_condition_fails_for_good() -> None:
    with pytest.raises(AirflowFailException, match="no gate condition"):
        Gate(task_id="gate", condition={"kind": "full_moon"}).execute({})


@pytest.mark.parametrize(
    ("outcome", "error"), [("timeout", AirflowSensorTimeout), ("error", AirflowFailException)]
)
def test_the_triggers_event_ends_the_task(outcome: str, error: type[Exception]) -> None:
    gate = Gate(task_id="gate", condition=SHUT)
    gate.resume({}, {"outcome": "met", "text": "open"})
    with pytest.raises(error, match="why it is shut"):
        gate.resume({}, {"outcome": outcome, "text": "why it is shut"})
