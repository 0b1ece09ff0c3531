"""A port is free, or what holds it is named."""

import os
import socket

import pytest

from headrace.errors import PortTaken
from local.stack.ports import free_port, is_free, require_free


def test_a_busy_port_is_named_with_what_holds_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(
            PortTaken, match=rf"Port {port} is held by pid {os.getpid()} \(.+\).*HEADRACE_X=\d+"
        ):
            require_free(port, "HEADRACE_X")
    require_free(port, "HEADRACE_X")


def test_a_free_port_is_free() -> None:
    assert is_free(free_port())
