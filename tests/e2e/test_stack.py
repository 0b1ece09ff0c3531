"""The stack as it stands: healthy, on the loopback, closed to others, unchanged by another `make up`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from headrace.errors import SettingsError
from headrace.kafka.login import broker_folder
from headrace.settings import PROJECT
from local.stack import processes
from local.stack.airflow import headrace_environment
from local.stack.credentials import broker_login, controller_password, keys, password
from local.stack.ports import free_port
from local.stack.stack import Stack
from testbed.pipeline import Pipeline, manager_pid

pytestmark = pytest.mark.timeout(600)  # the start of the stack may be in it


def pids(stack: Stack) -> dict[str, int | None]:
    return {part.name: part.pid for part in stack.parts()}


def test_every_part_is_healthy_and_supervised_once(pipeline: Pipeline) -> None:
    stack = pipeline.stack
    assert {part.name: part.healthy for part in stack.parts()} == dict.fromkeys(stack.names, True)
    managers = [p for p in processes.belonging(stack.home) if "supervisor.supervisord" in p.cmdline()]
    assert [p.pid for p in managers] == [manager_pid(stack)]


def test_up_again_changes_nothing(pipeline: Pipeline) -> None:
    stack = pipeline.stack
    before = pids(stack)
    stack.up(lambda line: None)
    assert pids(stack) == before


def test_up_with_other_settings_is_refused(pipeline: Pipeline) -> None:
    stack = pipeline.stack
    other = stack.settings.model_copy(update={"airflow_port": free_port()})
    with pytest.raises(SettingsError, match=f"HEADRACE_AIRFLOW_PORT={stack.settings.airflow_port}"):
        Stack(other).up(lambda line: None)


def test_it_listens_on_the_loopback_only(pipeline: Pipeline) -> None:
    stack = pipeline.stack
    listening = {
        (process.name(), connection.laddr.ip.removeprefix("::ffff:"))
        for process in processes.belonging(stack.home)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening
    assert {address for _, address in listening} == {"127.0.0.1"}


def test_no_secret_is_in_a_command_line_or_in_a_file_that_others_read(pipeline: Pipeline) -> None:
    stack = pipeline.stack
    broker = broker_folder(stack.home)
    logins = {broker_login(broker).password, controller_password(broker)}
    secrets = {password(stack.home), *keys(stack.home).values(), *logins}
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


def test_a_closed_terminal_ends_nothing(pipeline: Pipeline) -> None:
    stack = pipeline.stack
    manager = manager_pid(stack)
    assert os.getsid(manager) == manager
    assert psutil.Process(manager).terminal() is None


def test_the_kafka_shell_has_the_tools_of_this_broker(pipeline: Pipeline, first_run: str) -> None:
    own = {**os.environ, **headrace_environment(pipeline.settings), "SHELL": "/bin/sh"}
    done = subprocess.run(
        [sys.executable, "-m", "local", "kafka-shell"],
        env={**own, "PYTHONPATH": str(PROJECT)},
        input="kafka-topics.sh --describe --topic wind_turbine.readings\nls bin/kafka-topics.sh\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "PartitionCount: 4" in done.stdout
    assert done.stdout.endswith("bin/kafka-topics.sh\n")
