"""A run that gives up records asks for an Airflow variable, which who may only trigger cannot set."""

import shlex

import pytest

from headrace.errors import LossNotAllowed
from headrace_airflow.accepted_loss import require_allowed, variable_of

HOSTILE = "manual__'; airflow users create; $(reboot)"


def allow(monkeypatch: pytest.MonkeyPatch, stream: str, run_id: str) -> None:
    monkeypatch.setenv(f"AIRFLOW_VAR_{variable_of(stream).upper()}", run_id)


def test_the_run_that_the_variable_names_may_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, "mill", f"{HOSTILE}\n")  # as it is pasted into the web UI
    require_allowed("mill", HOSTILE)


@pytest.mark.parametrize("stream", ["mill", "weir"])
def test_no_other_run_and_no_other_stream_may(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, "weir", "manual__1")
    with pytest.raises(LossNotAllowed, match=rf"\[HR103\] stream {stream}: .*headrace_accept_loss_{stream} "):
        require_allowed(stream, "manual__2")


def test_the_command_that_allows_it_does_nothing_else_in_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, "mill", "another")
    with pytest.raises(LossNotAllowed) as refused:
        require_allowed("mill", HOSTILE)
    command = str(refused.value).split("`")[1]
    assert shlex.split(command) == ["airflow", "variables", "set", variable_of("mill"), HOSTILE]
