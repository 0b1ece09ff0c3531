"""A source's file, opened once: what is checked is what is read, whoever exchanges the path meanwhile."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headrace.errors import SourceError, SourceGrowing, SourceMissing
from headrace.settings import Settings

FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | getattr(os, "O_PATH", os.O_RDONLY)
"""To pass through a folder, for which it need not be readable where the system can say so (Linux)."""

FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
"""Not blocking: to open a pipe without a writer would wait for one."""


@dataclass(frozen=True)
class OpenSource:
    """A source's open file; `path` is what the contract calls it.

    `at_rest`: size and time of change (ns) when it was opened, where it must not be written to meanwhile.
    """

    path: Path
    reading: io.FileIO
    at_rest: tuple[int, int] | None = None

    def require_at_rest(self) -> None:
        """Whether nobody has written to it since it was opened; raises SourceGrowing."""
        if self.at_rest not in {None, _stamp(self.reading)}:
            raise SourceGrowing(f"{self.path}: was written to while it was read; the next run reads it")


def _stamp(reading: io.FileIO) -> tuple[int, int]:
    found = os.fstat(reading.fileno())
    return found.st_size, found.st_mtime_ns


@contextmanager
def open_source(settings: Settings, path: Path, file: Path, *, at_rest: bool = False) -> Iterator[OpenSource]:
    """Open `file`, which the contract calls `path`: a plain file in a folder that sources may be read from.

    Links are followed first, to where they lead; that place is checked, and opened without following any
    link, so that one which was put there in between is not followed.

    Raises:
        SourceMissing: it is not there.
        SourceError: it is no plain file, lies in HEADRACE_HOME or outside HEADRACE_SOURCE_ROOTS, cannot be
            read, or was exchanged for a link just now.
    """
    try:
        real = file.resolve(strict=True)
        require_permitted(settings, path, real)
        handle = _open_without_links(real)
    except (FileNotFoundError, NotADirectoryError) as absent:
        raise SourceMissing(
            f"{path}: no such file; put it there, or correct source.path in the contract"
        ) from absent
    except (OSError, RuntimeError, ValueError) as failed:  # links in a circle; a NUL in the path
        reason = failed.strerror if isinstance(failed, OSError) else failed
        raise SourceError(
            f"{path}: cannot be read: {reason}; permit reading, and let nobody exchange it meanwhile"
        ) from failed
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise SourceError(f"{path}: is no plain file; give the path of one")
    with io.FileIO(handle, "rb") as reading:
        yield OpenSource(path, reading, _stamp(reading) if at_rest else None)


def require_permitted(settings: Settings, path: Path, real: Path) -> None:
    """Whether what stands at `real`, which the contract calls `path`, may be a source; raises SourceError."""
    home, roots = settings.home_path.resolve(), settings.source_root_paths
    if real.is_relative_to(home):
        raise SourceError(
            f"{path}: leads to {real}, which is in HEADRACE_HOME ({home}), whose files, secrets among "
            "them, are never sources; move the file out of it, to a folder that HEADRACE_SOURCE_ROOTS names"
        )
    if not any(map(real.is_relative_to, roots)):
        raise SourceError(
            f"{path}: leads to {real}, outside the folders that sources may be read from "
            f"({', '.join(map(str, roots))}); move the file there, or add its folder to HEADRACE_SOURCE_ROOTS"
        )


def _open_without_links(real: Path) -> int:
    """Open what stands at that path, folder by folder; a link on the way, or at its end, is an OSError."""
    folder = os.open(real.anchor, FOLDER)
    try:
        for part in real.parts[1:-1]:
            within = os.open(part, FOLDER, dir_fd=folder)
            os.close(folder)
            folder = within
        return os.open(real.name, FILE, dir_fd=folder)
    finally:
        os.close(folder)
