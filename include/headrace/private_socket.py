"""Where the processes of one home listen for each other: sockets that nobody but their user reaches."""

import hashlib
import os
import socket
import struct
from pathlib import Path

from headrace.errors import SettingsError

LONGEST_SOCKET = 90
"""A socket's path is at most 107 bytes, and supervisord binds it with a suffix first."""


def private_socket(home: Path, name: str) -> Path:
    """The path of that socket: under `home`, or in a private folder of /tmp when that path is too long."""
    within = home / "run" / f"{name}.sock"
    if len(os.fsencode(within)) <= LONGEST_SOCKET:
        return within
    short = hashlib.sha256(os.fsencode(within)).hexdigest()[:16]
    # Not TMPDIR or XDG_RUNTIME_DIR: they differ between a login and a cron job, the stack must not.
    return Path(f"/tmp/headrace-{os.getuid()}") / f"{short}.sock"  # noqa: S108  # its folder is checked


def private_folder(folder: Path) -> None:
    """Make the folder of a socket.

    Raises:
        SettingsError: it is there, and others can write to it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not folder.is_dir() or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise SettingsError(
            f"{folder} does not belong to this user alone: sockets cannot be there. "
            "Remove it, or give a shorter HEADRACE_HOME."
        )


def peer(connection: socket.socket) -> int:
    """The process at the other end, as the kernel knows it.

    Raises:
        PermissionError: it is another user's.
    """
    size = struct.calcsize("3i")
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    if uid != os.getuid():
        raise PermissionError(f"process {pid} belongs to user {uid}")
    return int(pid)
