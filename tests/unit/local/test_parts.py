"""Small parts of the stack: ports, processes, secrets, configuration files, the order of stages."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import PortTaken, SettingsError
from headrace.settings import PROJECT, Settings, load_settings
from local.demo.watch import stage_order
from local.install.jars import fetch_jars
from local.stack import processes
from local.stack.airflow import airflow_environment
from local.stack.credentials import keys, password, password_file
from local.stack.ports import free_port, is_free, require_free
from local.stack.spark import properties_file
from local.stack.stack import Stack, kept_port
from local.stack.supervise import LONGEST_SOCKET, Program, Supervisor


def test_a_busy_port_is_named_with_what_holds_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(
            PortTaken, match=rf"Port {port} is held by pid {os.getpid()} \(.+\).*HEADRACE_X=\d+"
        ):
            require_free(port, "HEADRACE_X")
    require_free(port, "HEADRACE_X")


def test_a_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "broker" / "port"
    port = kept_port(file)
    assert kept_port(file) == port
    with socket.create_server(("127.0.0.1", port)):
        assert kept_port(file) != port


def test_processes_are_known_by_their_mark(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    homes = [tmp_path / "one", tmp_path / "one two"]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, processes.MARK: str(home)})
        for home in homes
    ]
    try:
        assert [p.pid for p in processes.belonging(homes[0])] == [started[0].pid]
        assert processes.end(homes[0]) == 1
        assert started[1].poll() is None
        assert processes.end(homes[0]) == 0
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    assert keys(tmp_path) == keys(tmp_path)
    assert password(tmp_path) == password(tmp_path)
    for file in (tmp_path / "secrets.json", password_file(tmp_path)):
        assert file.stat().st_mode & 0o777 == 0o600


def unescaped(text: str) -> dict[str, str]:
    """What Java reads from a properties file that needs no more than unicode escapes."""
    lines = (line.split("=", 1) for line in text.splitlines())
    return {name: re.sub(r"(?:\\u[0-9a-f]{4})+", lambda m: _utf16(m[0]), value) for name, value in lines}


def _utf16(escapes: str) -> str:
    return b"".join(bytes.fromhex(unit) for unit in escapes.split("\\u")[1:]).decode("utf-16-be")


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_properties_survive_whatever_a_path_holds(value: str) -> None:
    assert unescaped(properties_file({"key": f"/{value}"})) == {"key": f"/{value}"}


@pytest.mark.parametrize("odd", ["a:b", "a,b", "a%b", 'a"b', "a;b", "a$b", "a\nb"])
def test_paths_that_a_part_takes_as_syntax_are_refused(tmp_path: Path, odd: str) -> None:
    with pytest.raises(SettingsError, match="Choose another path"):
        Stack(Settings(home=tmp_path / odd))


def test_blanks_and_foreign_letters_are_fine(tmp_path: Path) -> None:
    assert Stack(Settings(home=tmp_path / "Äpfel und 梨")).home == tmp_path / "Äpfel und 梨"


def test_a_deep_home_has_its_socket_in_a_short_private_folder(tmp_path: Path) -> None:
    short = Supervisor(Path("/srv/home"))
    deep = Supervisor(tmp_path / ("x" * 100))
    assert short.socket.is_relative_to("/srv/home")
    assert len(os.fsencode(deep.socket)) <= LONGEST_SOCKET
    assert deep.socket != Supervisor(tmp_path / ("x" * 101)).socket


def test_the_managers_configuration_has_no_secret_and_quotes_blanks(tmp_path: Path) -> None:
    program = Program("part", ("/a path/python", "-m", "it's"), tmp_path / "a folder")
    text = Supervisor(tmp_path)._configuration([program])
    assert "command='/a path/python' -m 'it'\"'\"'s'\n" in text
    assert f"directory={tmp_path / 'a folder'}\n" in text
    assert not any(secret in text for secret in keys(tmp_path).values())


def test_airflow_is_told_to_stay_on_the_loopback_with_a_login(settings: Settings) -> None:
    settings.home_path.mkdir()
    (settings.home_path / "jars").symlink_to(fetch_jars(load_settings().home_path, "spark").parent)
    environment = airflow_environment(settings)
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"
    assert environment["HEADRACE_HOME"] == str(settings.home_path)


def test_stages_stand_in_the_order_of_the_dag() -> None:
    tasks = [
        {"task_id": "c", "downstream_task_ids": []},
        {"task_id": "a", "downstream_task_ids": ["b", "c"]},
        {"task_id": "b", "downstream_task_ids": ["c"]},
    ]
    assert stage_order(tasks) == ["a", "b", "c"]


def test_stages_side_by_side_stand_as_airflow_lists_them() -> None:
    edges = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}
    tasks = [{"task_id": task, "downstream_task_ids": after} for task, after in edges.items()]
    assert stage_order(tasks) == ["a", "b", "c", "d"]


def test_without_python_3_11_one_sentence_says_so(tmp_path: Path) -> None:
    for name in ("python3.11", "python3.12", "python3.13", "python3"):
        old = tmp_path / name
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    done = subprocess.run(
        ["/bin/sh", str(PROJECT / "local" / "run")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is needed")
    assert done.stderr.count("\n") == 1


def test_a_free_port_is_free() -> None:
    assert is_free(free_port())
