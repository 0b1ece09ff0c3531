"""What a task and its driver tell each other arrives as it was said, and a secret stays one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from headrace.driver.protocol import (
    JOB_VARIABLE,
    LAST_WORD,
    DriverError,
    Guardian,
    Job,
    read_job,
    read_last_word,
)
from headrace.errors import BrokerUnreachable, ContractError, HeadraceError, SettingsError
from headrace.tables.slices import new_slice

JOB = Job(
    contract=Path("/srv/été 1/mill.yaml"),
    run_id="manual__2026-01-01T00:00:00+00:00 <b>'; drop",
    warehouse=Path("/srv/warehouse"),
    kafka={"bootstrap.servers": "h:1", "sasl.password": 'p"ä\n=', "enable.auto.commit": False},
    slice=new_slice("run", "readings", "id", {0: 5}, {0: 9, 1: 4}),
    accept_loss=True,
    guardians=(Guardian(pid=1, started=1.5),),
)


def test_a_job_survives_the_drivers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in JOB.environment().items():
        monkeypatch.setenv(name, value)
    assert read_job() == JOB


def test_a_stage_that_no_task_started_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JOB_VARIABLE, raising=False)
    with pytest.raises(SettingsError, match="HEADRACE_JOB is not set: Spark stages are started by their"):
        read_job()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"contract": "c", "warehouse": "w", "kafka": {"sasl.password": "hush"}}', "run_id"),
        ('{"contract": "c", "run_id": "r", "warehouse": "w", "kafka": "hush"}', "kafka"),
        (
            '{"contract": "c", "run_id": "r", "warehouse": "w", "slice": {"topic": "hush"}}',
            r"slice\.run_id, ",
        ),
        ('{"kafka": "hush', ""),
    ],
)
def test_a_broken_job_is_named_without_its_text(
    text: str, fields: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(JOB_VARIABLE, text)
    with pytest.raises(SettingsError, match=f"HEADRACE_JOB is broken in: {fields}") as broken:
        read_job()
    assert "hush" not in str(broken.value)
    assert broken.value.__suppress_context__  # no traceback shows pydantic's message, which has the text


@pytest.mark.parametrize("error", [ContractError("two\nlines, “quoted”"), BrokerUnreachable("away")])
def test_a_last_word_is_one_line_and_comes_back_as_it_was_said(error: HeadraceError) -> None:
    line = DriverError.of(error).last_word()
    assert line.startswith(LAST_WORD)
    assert "\n" not in line
    assert read_last_word(f"{line}\n") == DriverError(
        code=error.code, transient=error.transient, message=str(error)
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "batch 0: 0:[0, 5) records 5",
        LAST_WORD,
        f"{LAST_WORD}disk full",
        f'{LAST_WORD}{{"code": "HR101"}}',
        f" {DriverError.of(ContractError('it is wrong')).last_word()}",
    ],
)
def test_any_other_line_is_none(line: str) -> None:
    assert read_last_word(line) is None


def test_a_guardian_is_one_process_and_no_later_one_with_its_id() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        guardian = Guardian.of(process.pid)
        assert guardian.is_alive()
        assert not guardian.model_copy(update={"started": guardian.started - 60}).is_alive()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not guardian.is_alive()  # ended, and not waited for: a zombie
    assert not guardian.is_alive()


def test_a_step_of_the_clock_leaves_a_guardian_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux tells the machine's start by the clock of now, and a process's start by that."""
    guardian = Guardian.of(os.getpid())
    stepped = psutil.boot_time() + 3600
    for where in ("psutil.boot_time", "psutil._pslinux.boot_time"):
        monkeypatch.setattr(where, lambda: stepped)
    assert psutil.Process().create_time() > time.time() + 3000
    assert guardian.is_alive()
