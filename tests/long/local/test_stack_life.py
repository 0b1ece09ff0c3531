"""What kills parts of a stack, and what brings it back; the tests stand in the order in which they run.

What a stack is while nothing dies is in tests/e2e/test_stack.py.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from headrace.settings import PROJECT
from local.stack import processes
from local.stack.stack import Stack
from testbed.pipeline import fresh_settings, local, manager_pid
from testbed.waiting import awaited


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of these tests' own: they end its parts."""
    stack = Stack(fresh_settings(tmp_path_factory.mktemp("stack")))
    try:
        stack.up(lambda line: None)
        yield stack
    finally:
        stack.down()


def pids(stack: Stack) -> dict[str, int | None]:
    return {part.name: part.pid for part in stack.parts()}


def test_a_killed_part_comes_back(stack: Stack) -> None:
    before = pids(stack)["triggerer"]
    assert before
    psutil.Process(before).send_signal(signal.SIGKILL)
    awaited(lambda: pids(stack)["triggerer"] not in (before, None), 120)
    awaited(lambda: all(part.healthy for part in stack.parts()), 120, every=0.5)


def test_up_heals_a_stack_whose_manager_was_killed(stack: Stack) -> None:
    left = processes.belonging(stack.home)
    psutil.Process(manager_pid(stack)).kill()
    awaited(lambda: not stack.supervisor.is_running(), 120)
    assert not any(part.healthy for part in stack.parts())
    stack.up(lambda line: None)
    assert not any(process.is_running() for process in left)
    assert all(part.healthy for part in stack.parts())


def test_down_ends_all_of_it_and_nothing_else(stack: Stack) -> None:
    mine = started({processes.MARK: str(stack.home)})
    others = [started({}), started({processes.MARK: f"{stack.home}2"})]
    try:
        psutil.Process(manager_pid(stack)).kill()
        done = local("down", stack.settings, "UTC", PROJECT)
        assert "Ended" in done.communicate(timeout=120)[0]
        assert done.returncode == 0
        assert processes.belonging(stack.home) == []
        assert mine.wait(10) != 0
        assert [other.poll() for other in others] == [None, None]
    finally:
        for process in (mine, *others):
            process.kill()
            process.wait()
    assert (
        local("down", stack.settings, "UTC", PROJECT).communicate(timeout=60)[0].strip()
        == "No stack was running."
    )


def started(environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A process that would go on for long, as a Spark driver of a task does."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
