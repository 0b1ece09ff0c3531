"""The process manager's socket and configuration."""

import os
from pathlib import Path

from headrace.private_socket import LONGEST_SOCKET
from local.stack.credentials import keys
from local.stack.supervise import Program, Supervisor


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
