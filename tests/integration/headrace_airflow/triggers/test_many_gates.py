"""Three hundred gates wait in one triggerer: they share their questions, and its loop is never blocked."""

import asyncio
import gc
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from headrace.contract.topic import Topic
from headrace.gates import answers
from headrace.gates.answers import Answers
from headrace.kafka import topics
from headrace.kafka.topics import ensure_topic
from headrace_airflow.triggers.gate import GateTrigger
from local.stack.broker import Broker

GATES = 300
BLOCKED = 0.2
"""Seconds of the loop's own processor time after which Airflow, too, says that a trigger blocks it."""


@pytest.fixture
def topic(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    connection = {"conn_type": "kafka", "extra": broker.config}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path))
    name = f"gates.{uuid4().hex}"
    ensure_topic(broker.config, Topic(name=name, partitions=1))
    return name


def conditions(topic: str) -> list[dict[str, Any]]:
    """Of all sorts, none of which is ever met."""
    sorts: list[Callable[[int], dict[str, Any]]] = [
        lambda number: {"kind": "visible", "topic": topic, "until": {"0": 1000 + number}},
        lambda number: {"kind": "topic_ready", "topic": topic, "partitions": 2 + number},
        lambda number: {"kind": "landed", "stream": f"s{number}", "topic_id": "t", "until": {"0": 1}},
        lambda number: {"kind": "table_has", "table": f"s{number}/readings", "rows": 1},
        lambda number: {"kind": "file_arrived", "path": f"/nowhere/{number}.csv"},
    ]
    return [sorts[number % len(sorts)](number) for number in range(GATES)]


@asynccontextmanager
async def measured(longest: list[float]) -> AsyncIterator[None]:
    """Notes the loop's longest turn in processor time: other work on the machine does not count.

    Nor does the collector's look at all that the tests of this process have left.
    """
    turn = asyncio.Handle._run
    gc.freeze()

    def timed(handle: asyncio.Handle) -> None:
        before = time.thread_time()
        turn(handle)
        longest[0] = max(longest[0], time.thread_time() - before)

    asyncio.Handle._run = timed  # type: ignore[method-assign]
    try:
        yield
    finally:
        gc.unfreeze()
        asyncio.Handle._run = turn  # type: ignore[method-assign]


def test_three_hundred_gates_wait(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loop_thread = threading.get_ident()
    asked: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    ask, log_ends = Answers.of, topics.log_ends

    def noted(shared: Answers, question: Any, how: Callable[[], Any]) -> Any:
        assert threading.get_ident() != loop_thread, "the loop itself waits for an answer"
        return ask(shared, question, how)

    def counted(config: Any, names: Any) -> Any:
        asked["broker"] += 1
        return log_ends(config, names)

    monkeypatch.setattr(answers, "FRESH", 3600.0)  # however slow the machine is
    monkeypatch.setattr(Answers, "of", noted)
    monkeypatch.setattr(topics, "log_ends", counted)
    longest = [0.0]

    async def scenario() -> None:
        gates = [
            GateTrigger(condition, "kafka_default", interval=0.5, deadline=time.time() + 3600)
            for condition in conditions(topic)
        ]
        for gate in gates:
            monkeypatch.setattr(gate, "_pause", lambda waited: checked.update(["pauses"]) or 0.5)
        waiting = [asyncio.ensure_future(anext(aiter(gate.run()))) for gate in gates]
        async with measured(longest):
            while checked["pauses"] < 3 * GATES:
                assert not any(each.done() for each in waiting)
                await asyncio.sleep(0.05)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(scenario())
    assert longest[0] < BLOCKED
    assert asked["broker"] <= 2, asked  # the topic when it was new, and all topics
