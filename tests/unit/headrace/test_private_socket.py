"""Sockets that only one user reaches."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from headrace.errors import SettingsError
from headrace.private_socket import peer, private_folder, private_socket


def test_the_other_end_is_told_by_the_kernel() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert peer(one) == os.getpid()


def test_another_users_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = socket.socketpair()
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with one, other, pytest.raises(PermissionError, match=f"process {os.getpid()} belongs to user"):
        peer(one)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_real_other_user_is_refused(tmp_path: Path) -> None:
    name = f"\0{tmp_path}"  # no file, so that no folder keeps it away
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(name)
        server.listen()
        ask = "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); "
        ask += "s.connect(sys.stdin.read()); s.recv(1)"
        other = subprocess.Popen(["/usr/bin/env", "python3", "-c", ask], stdin=subprocess.PIPE, user=65534)
        assert other.stdin
        other.stdin.write(name.encode())
        other.stdin.close()
        connection, _ = server.accept()
        with connection, pytest.raises(PermissionError, match="belongs to user 65534"):
            peer(connection)
        other.wait(30)


def test_a_folder_that_others_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    private_folder(folder)
    assert folder.stat().st_mode & 0o077 == 0
    folder.chmod(0o777)
    with pytest.raises(SettingsError, match="does not belong to this user alone"):
        private_folder(folder)


def test_each_socket_of_a_home_has_its_own_path(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    assert private_socket(deep, "a") != private_socket(deep, "b")
    assert private_socket(Path("/srv"), "a") == Path("/srv/run/a.sock")
