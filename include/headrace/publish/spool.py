"""The spool: a copy of each published source under its sha256, from which it is published and counted."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from headrace.errors import SourceError, SpoolUnavailable

CHUNK = 1 << 20


@dataclass(frozen=True)
class Spooled:
    """A source in the spool: its copy, the hash of its bytes, its number of data rows."""

    file: Path
    sha256: str
    rows: int


def spool_source(source: Path, spool: Path, check: Callable[[Path], int]) -> Spooled:
    """Copy `source` to `spool`/<sha256>; `check` reads the copy and counts its rows before it gets that name.

    What is published is the copy, so a source that changes meanwhile is one file or the other, never a mix.
    A copy that is there already is replaced by the same bytes: cheaper than trusting it.

    Raises:
        SpoolUnavailable: the copy cannot be written just now.
        SourceError: the source cannot be read; and whatever `check` raises.
    """
    try:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        spool.chmod(0o700)
        handle, name = tempfile.mkstemp(prefix=".copy.", dir=spool)  # mode 0600
    except OSError as failed:
        raise _unavailable(spool, failed) from failed
    scratch = Path(name)
    try:
        sha256 = _copy(source, handle, spool)
        spooled = Spooled(spool / sha256, sha256, check(scratch))
        _name(scratch, spooled.file)
    finally:
        scratch.unlink(missing_ok=True)
    return spooled


def _copy(source: Path, handle: int, spool: Path) -> str:
    digest = hashlib.sha256()
    with os.fdopen(handle, "wb") as copy:
        try:
            for block in _blocks(source):
                digest.update(block)
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        except OSError as failed:
            raise _unavailable(spool, failed) from failed
    return digest.hexdigest()


def _blocks(source: Path) -> Iterator[bytes]:
    """The file's bytes; a fault of reading is the source's, not the spool's."""
    try:
        with source.open("rb") as reading:
            while block := reading.read(CHUNK):
                yield block
    except OSError as failed:
        raise SourceError(
            f"{source}: cannot be read: {failed.strerror}; permit reading, or put a sound copy in its place"
        ) from failed


def _name(scratch: Path, file: Path) -> None:
    try:
        scratch.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name itself must outlive a power cut
        finally:
            os.close(folder)
    except OSError as failed:
        raise _unavailable(file.parent, failed) from failed


def _unavailable(spool: Path, failed: OSError) -> SpoolUnavailable:
    return SpoolUnavailable(f"{spool}: cannot be written: {failed.strerror}; free space or permit writing")
