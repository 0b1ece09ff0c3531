"""The spool: a copy of each published source under its sha256, from which it is published and counted."""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from headrace.errors import SourceError, SpoolUnavailable
from headrace.files import sync
from headrace.publish.sources.opening import OpenSource

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True)
class Spooled:
    """A source in the spool: its copy, the hash of its bytes, its number of data rows."""

    file: Path
    sha256: str
    rows: int


def spool_source(source: OpenSource, spool: Path, check: Callable[[IO[bytes]], int]) -> Spooled:
    """Copy `source` to `spool`/<sha256>; `check` reads the bytes as they go by and counts their rows.

    The copy gets that name when all was read and found right. What is published is the copy, so a source that
    changes meanwhile is one file or the other, never a mix.

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
        with io.FileIO(handle, "wb") as copy:
            passing = _Copied(source, spool, copy)
            buffered = io.BufferedReader(passing, BLOCK)
            rows = check(buffered)
            while buffered.read(BLOCK):
                pass  # what nobody has asked for is copied, too
            passing.finish()
        spooled = Spooled(spool / passing.sha256, passing.sha256, rows)
        _name(scratch, spooled.file)
    finally:
        scratch.unlink(missing_ok=True)
    return spooled


def is_spooled(source: OpenSource, spool: Path, sha256: str) -> bool:
    """Whether the source's bytes are still those of that hash, and the spool's copy is whole.

    Raises:
        SourceError: the source cannot be read.
        SpoolUnavailable: the copy is there and cannot be read.
    """
    copy, digest = spool / sha256, hashlib.sha256()
    try:
        if copy.stat().st_size != os.fstat(source.reading.fileno()).st_size:
            return False
        _begin(source)
        with copy.open("rb") as kept:
            while block := _asked(source, lambda: source.reading.read(BLOCK)):
                digest.update(block)
                if kept.read(len(block)) != block:
                    return False
    except FileNotFoundError:
        return False
    except OSError as failed:
        raise SpoolUnavailable(f"{copy}: cannot be read: {failed.strerror}; permit reading") from failed
    return digest.hexdigest() == sha256


class _Copied(io.RawIOBase):
    """A source's bytes, copied and hashed as they are read."""

    def __init__(self, source: OpenSource, spool: Path, copy: io.FileIO) -> None:
        self._source, self._spool, self._copy = source, spool, copy
        _begin(source)
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The hash of what was read."""
        return self._digest.hexdigest()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        size = _asked(self._source, lambda: self._source.reading.readinto(buffer))
        block = memoryview(buffer)[:size]
        self._digest.update(block)
        try:
            while block:
                block = block[self._copy.write(block) :]
        except OSError as failed:
            raise _unavailable(self._spool, failed) from failed
        return size

    def finish(self) -> None:
        """Have the copy on the disk."""
        try:
            os.fsync(self._copy.fileno())
        except OSError as failed:
            raise _unavailable(self._spool, failed) from failed


def _begin(source: OpenSource) -> None:
    """Read it from its beginning, though it was read before."""
    _asked(source, lambda: source.reading.seek(0))


def _asked(source: OpenSource, read: Callable[[], T]) -> T:
    """What a read gives; its fault is the source's, not the spool's."""
    try:
        return read()
    except OSError as failed:
        raise SourceError(
            f"{source.path}: cannot be read: {failed.strerror}; permit reading, or put a sound copy in its "
            "place"
        ) from failed


def _name(scratch: Path, file: Path) -> None:
    try:
        scratch.replace(file)
        sync(file.parent)  # the name itself must outlive a power cut
    except OSError as failed:
        raise _unavailable(file.parent, failed) from failed


def _unavailable(spool: Path, failed: OSError) -> SpoolUnavailable:
    return SpoolUnavailable(f"{spool}: cannot be written: {failed.strerror}; free space or permit writing")
