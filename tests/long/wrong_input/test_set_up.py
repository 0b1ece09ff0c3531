"""What can be wrong with the machine: a sentence says what to do, nothing half-done is left, then works."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from headrace.reconcile.ledger import read_ledger
from headrace.settings import PROJECT, Settings
from local.stack import processes
from local.stack.airflow import headrace_environment
from local.stack.ports import free_port
from local.stack.stack import Stack
from testbed.answers import assert_right
from testbed.pipeline import Pipeline, foreign_settings, local
from tests.long.wrong_input.rows import CASES, REQUIRED

pytestmark = pytest.mark.timeout(900)

Wrong = Callable[[Settings], AbstractContextManager[dict[str, str]]]

UP = ("-m", "local", "up")
BRING_UV = (
    "-I",
    "-c",
    "import runpy; runpy.run_path('local/install/setup.py', run_name='set-up')['make_uv']()",
)
SET_UP = ("-I", "local/install/setup.py")
PREPARE = ("-m", "local", "prepare")


@contextmanager
def port_taken(settings: Settings) -> Iterator[dict[str, str]]:
    with socket.create_server(("127.0.0.1", settings.kafka_port)):
        yield {}


@contextmanager
def java_too_old(settings: Settings) -> Iterator[dict[str, str]]:
    """A Java that says it is 11; Debian has none so old any more."""
    binary = settings.home_path.parent / "old java" / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    binary.chmod(0o755)
    yield {"JAVA_HOME": str(binary.parents[1])}


@contextmanager
def no_network(_: Settings) -> Iterator[dict[str, str]]:
    nobody = f"http://127.0.0.1:{free_port()}"
    yield {"PIP_INDEX_URL": nobody, "PIP_RETRIES": "0"}


@dataclass(frozen=True)
class SetUpCase:
    """One row: the command that fails, what it says, and what works once all is right (it, or a part)."""

    name: str
    wrong: Wrong
    message: str
    command: tuple[str, ...]
    then: tuple[str, ...]


SET_UP_CASES = (
    SetUpCase(
        "no network at set-up",
        no_network,
        r"Set-up stopped at: uv\. It needs the network once: check the connection",
        SET_UP,
        BRING_UV,
    ),
    SetUpCase(
        "Java too old",
        java_too_old,
        r"\[HR601\] JAVA_HOME is .*, which is Java 11\. Install a Java",
        UP,
        PREPARE,
    ),
    SetUpCase(
        "port taken", port_taken, r"\[HR602\] Port \d+ is held by pid \d+ .*HEADRACE_KAFKA_PORT=", UP, UP
    ),
)


def test_no_row_is_absent() -> None:
    there = [case.name for case in (*CASES, *SET_UP_CASES)]
    assert len(there) == len(set(there))
    assert set(there) >= REQUIRED


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home in foreign paths, in which nothing was started yet; what is started is ended.

    The last row of the table leaves its stack up, for the interrupted demonstration.
    """
    settings = foreign_settings(tmp_path_factory.mktemp("machine"))
    yield settings
    Stack(settings).down()
    assert processes.belonging(settings.home_path) == []


def run(settings: Settings, command: tuple[str, ...], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        env={**os.environ, **headrace_environment(settings), "TZ": "UTC", "LANG": "C", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("case", SET_UP_CASES, ids=lambda case: case.name)
def test_what_is_wrong_is_said_and_the_next_try_works(case: SetUpCase, machine: Settings) -> None:
    with case.wrong(machine) as environment:
        refused = run(machine, case.command, **environment)
    assert refused.returncode == 1, refused.stdout
    (line,) = (line for line in refused.stdout.splitlines() if "HR6" in line or "stopped" in line)
    assert re.search(case.message, line), refused.stdout
    assert "Traceback" not in refused.stdout
    assert processes.belonging(machine.home_path) == []
    again = run(machine, case.then)
    assert again.returncode == 0, again.stdout


def test_an_interrupted_demo_leaves_a_stack_that_goes_on(machine: Settings) -> None:
    demo = local("demo", machine, "UTC", PROJECT)
    assert demo.stdout is not None
    said = []
    for line in demo.stdout:
        said.append(line)
        if "publish: running" in line:
            os.killpg(demo.pid, signal.SIGINT)  # as a terminal's Ctrl-C reaches make and all that it started
    assert demo.wait(60) == 130, said
    text = "".join(said)
    assert "Interrupted. What was started goes on: `make status` shows it, `make down` ends it." in text
    assert "Traceback" not in text
    assert run(machine, ("-m", "local", "status")).returncode == 0
    stack = Stack(machine)
    pipeline = Pipeline(machine, stack, stack.client())
    (interrupted,) = pipeline.runs()
    assert pipeline.ended(interrupted) == "success"
    assert read_ledger(pipeline.warehouse)[-1].balanced
    assert_right(pipeline.warehouse)
