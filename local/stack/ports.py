"""Ports of 127.0.0.1: free ones, kept ones, and who holds a busy one."""

import socket
from contextlib import suppress

import psutil

from headrace.errors import PortTaken


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def holder(port: int) -> psutil.Process | None:
    """The process that listens on the port; None where it cannot be seen (it belongs to another user)."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                return psutil.Process(connection.pid)
    return None


def require_free(port: int, setting: str) -> None:
    """Refuse a port that is taken.

    Raises:
        PortTaken: names the process that holds it and the setting that gives another port.
    """
    if is_free(port):
        return
    process = holder(port)
    who = "a process of another user"
    if process is not None:
        with suppress(psutil.Error):
            who = f"pid {process.pid} ({' '.join(process.cmdline())[:120] or process.name()})"
    raise PortTaken(
        f"Port {port} is held by {who}. End that process, or choose another port: {setting}={free_port()}."
    )
