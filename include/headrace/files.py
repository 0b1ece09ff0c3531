"""Small files, written whole. Only the standard library: set-up uses it before anything is installed."""

import errno
import os
import stat
import threading
from pathlib import Path


def read_bounded(file: Path, most: int) -> str:
    """The text of a regular file of at most so many bytes; a byte-order mark is dropped.

    Raises:
        OSError: it cannot be read, is larger, or is a device, a pipe or a folder.
        UnicodeDecodeError: it is no UTF-8.
    """
    # not blocking: to open a pipe without a writer would wait for one
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as reading:
        if not stat.S_ISREG(os.fstat(reading.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        held = reading.read(most + 1)
    if len(held) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes")
    return held.decode("utf-8-sig")


def write_whole(file: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write a file so that a reader sees the old one or the new, never half of it, also after a power cut.

    `mode`: its permissions from the first byte on, where the process's umask would give others.
    """
    scratch = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666 if mode is None else mode)
    try:
        with os.fdopen(handle, "wb") as writing:
            writing.write(content.encode() if isinstance(content, str) else content)
            writing.flush()
            os.fsync(writing.fileno())
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)  # it is there when the disk was full


def sync(*paths: Path) -> None:
    """Have what was written to these files and folders on the disk, where a power cut does not reach it."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
