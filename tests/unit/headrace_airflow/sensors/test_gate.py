"""The gate: open, shut, without a known condition, and ended by its trigger's event."""

import time
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from headrace_airflow.sensors.gate import Gate
from headrace_airflow.triggers.gate import GateTrigger
from testbed.conditions import ASKS_BROKER, OPEN, SHUT


@pytest.mark.usefixtures("connect")
def test_an_open_gate_does_not_defer() -> None:
    Gate(task_id="gate", until=OPEN).execute({})


@pytest.mark.usefixtures("connect")
@pytest.mark.parametrize("condition", [SHUT, ASKS_BROKER])
def test_a_shut_gate_defers_with_its_deadline(condition: dict[str, Any]) -> None:
    before = time.time()
    with pytest.raises(TaskDeferred) as deferred:
        Gate(task_id="gate", until=condition, timeout=60).execute({})
    waiting = deferred.value.trigger
    assert isinstance(waiting, GateTrigger)
    assert before + 60 <= waiting.deadline <= time.time() + 60
    assert deferred.value.method_name == "resume"


@pytest.mark.usefixtures("connect")
def test_a_gate_without_a_known_condition_fails_for_good() -> None:
    with pytest.raises(AirflowFailException, match="no gate condition"):
        Gate(task_id="gate", until={"kind": "full_moon"}).execute({})


@pytest.mark.parametrize(
    ("outcome", "error"), [("timeout", AirflowSensorTimeout), ("error", AirflowFailException)]
)
def test_the_triggers_event_ends_the_task(outcome: str, error: type[Exception]) -> None:
    gate = Gate(task_id="gate", until=SHUT)
    gate.resume({}, {"outcome": "met", "text": "open"})
    with pytest.raises(error, match="why it is shut"):
        gate.resume({}, {"outcome": outcome, "text": "why it is shut"})
