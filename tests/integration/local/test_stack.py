"""The stack's life on one machine: up, crashes, down. The tests stand in the order in which they run."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from headrace.errors import SettingsError
from headrace.settings import PROJECT, Settings, load_settings
from local.install.jars import ROOTS, fetch_jars
from local.stack import processes
from local.stack.airflow import headrace_environment
from local.stack.credentials import keys, password
from local.stack.ports import free_port
from local.stack.stack import PARTS, Stack
from testbed.waiting import awaited


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack, brought up twice at once; its home has blanks, a foreign letter, more than a socket's path."""
    home = tmp_path_factory.mktemp("Müllers stack") / ("deep " * 12).strip()
    home.mkdir()
    jars = [fetch_jars(load_settings().home_path, name) for name in ROOTS]
    (home / "jars").symlink_to(jars[0].parent)
    settings = Settings(
        home=home, warehouse=home / "warehouse", airflow_port=free_port(), kafka_port=free_port()
    )
    stack = Stack(settings)
    try:
        both = [local("up", settings) for _ in range(2)]
        outputs = [one.communicate(timeout=400)[0] for one in both]
        assert [one.returncode for one in both] == [0, 0], outputs
        yield stack
    finally:
        stack.down()


def local(verb: str, settings: Settings) -> "subprocess.Popen[str]":
    """`make <verb>` of that stack, under a locale and a time zone that must not matter."""
    return subprocess.Popen(
        [sys.executable, "-m", "local", verb],
        cwd=PROJECT,
        env={**os.environ, **headrace_environment(settings), "LC_ALL": "C", "TZ": "America/New_York"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def pids(stack: Stack) -> dict[str, int | None]:
    return {part.name: part.pid for part in stack.parts()}


def manager_pid(stack: Stack) -> int:
    return int(stack.supervisor._call("getPID"))


def test_every_part_is_healthy_and_supervised_once(stack: Stack) -> None:
    assert {part.name: part.healthy for part in stack.parts()} == dict.fromkeys(PARTS, True)
    managers = [p for p in processes.belonging(stack.home) if "supervisor.supervisord" in p.cmdline()]
    assert [p.pid for p in managers] == [manager_pid(stack)]


def test_up_again_changes_nothing(stack: Stack) -> None:
    before = pids(stack)
    stack.up(lambda line: None)
    assert pids(stack) == before


def test_up_with_other_settings_is_refused(stack: Stack) -> None:
    other = stack.settings.model_copy(update={"airflow_port": free_port()})
    with pytest.raises(SettingsError, match=f"HEADRACE_AIRFLOW_PORT={stack.settings.airflow_port}"):
        Stack(other).up(lambda line: None)


def test_it_listens_on_the_loopback_only(stack: Stack) -> None:
    listening = {
        (process.name(), connection.laddr.ip.removeprefix("::ffff:"))
        for process in processes.belonging(stack.home)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening
    assert {address for _, address in listening} == {"127.0.0.1"}


def test_no_secret_is_in_a_command_line_or_in_a_file_that_others_read(stack: Stack) -> None:
    secrets = {password(stack.home), *keys(stack.home).values()}
    for process in processes.belonging(stack.home):
        assert not any(secret in part for part in process.cmdline() for secret in secrets)
    readable = [path for path in files(stack.home) if path.stat().st_mode & 0o077]
    assert readable == []
    for path in (stack.home / "logs").iterdir():
        assert not any(secret in path.read_text(errors="replace") for secret in secrets), path


def files(home: Path) -> Iterator[Path]:
    """The files of a home; its jars are linked from another."""
    for folder, _, names in os.walk(home):
        yield from (Path(folder) / name for name in names if not (Path(folder) / name).is_symlink())


def test_a_killed_part_comes_back(stack: Stack) -> None:
    before = pids(stack)["triggerer"]
    assert before
    psutil.Process(before).send_signal(signal.SIGKILL)
    awaited(lambda: pids(stack)["triggerer"] not in (before, None), 120)
    awaited(lambda: all(part.healthy for part in stack.parts()), 120, every=0.5)


def test_a_closed_terminal_ends_nothing(stack: Stack) -> None:
    manager = manager_pid(stack)
    assert os.getsid(manager) == manager
    assert psutil.Process(manager).terminal() is None


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
        done = local("down", stack.settings)
        assert "Ended" in done.communicate(timeout=120)[0]
        assert done.returncode == 0
        assert processes.belonging(stack.home) == []
        assert mine.wait(10) != 0
        assert [other.poll() for other in others] == [None, None]
    finally:
        for process in (mine, *others):
            process.kill()
            process.wait()
    assert local("down", stack.settings).communicate(timeout=60)[0].strip() == "No stack was running."


def started(environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A process that would go on for long, as a Spark driver of a task does."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
