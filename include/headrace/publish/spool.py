"""The spool: a copy of each published source under its sha256, from which it is published and counted."""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Collection
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
    """A source in the spool: its copy, the hash and number of its bytes, its number of data rows.

    `own_sha256`: the copy's hash and name, where that is one of the last rows alone, which `rows` counts.
    """

    file: Path
    sha256: str
    size: int
    rows: int
    own_sha256: str | None = None


@dataclass(frozen=True)
class Prefix:
    """The first bytes of a source, which its copy leaves out: their number, and the hash's state behind them.

    `line_end`: bytes that follow, and which only end the last of their lines; `head`: the header, with which
    the copy begins, so that it is a file of its own.
    """

    size: int
    line_end: int
    state: "hashlib._Hash"
    head: bytes


def hashes(source: OpenSource, sizes: Collection[int]) -> "dict[int, hashlib._Hash]":
    """The hash of so many first bytes of the source, for each of the sizes; in one pass.

    Raises:
        SourceError: the source cannot be read.
    """
    found, state, at = {}, hashlib.sha256(), 0
    _begin(source)
    for size in sorted(sizes):
        while at < size and (block := _read(source, min(BLOCK, size - at))):
            state.update(block)
            at += len(block)
        found[size] = state.copy()
    return found


def spool_source(
    source: OpenSource, spool: Path, check: Callable[[IO[bytes]], int], prefix: Prefix | None = None
) -> Spooled:
    """Copy `source` to `spool`/<sha256>; `check` reads the bytes as they go by and counts their rows.

    The copy gets that name when all was read and found right. What is published is the copy, so a source that
    changes meanwhile is one file or the other, never a mix. With `prefix` it is the header and what follows
    those bytes.

    Raises:
        SpoolUnavailable: the copy cannot be written just now.
        SourceError: the source cannot be read; and whatever `check` raises.
        SourceGrowing: it was to be at rest, and was written to.
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
            passing = _Copied(source, spool, copy, prefix)
            buffered = io.BufferedReader(passing, BLOCK)
            rows = check(buffered)
            while buffered.read(BLOCK):
                pass  # what nobody has asked for is copied, too
            source.require_at_rest()
            passing.finish()
            size = source.reading.tell()
        own = passing.copy_sha256
        spooled = Spooled(spool / own, passing.sha256, size, rows, own if prefix else None)
        _name(scratch, spooled.file)
    finally:
        scratch.unlink(missing_ok=True)
    return spooled


def is_spooled(source: OpenSource, spool: Path, sha256: str, own_sha256: str | None = None) -> bool:
    """Whether the source's bytes are still those of that hash, and the spool's copy is whole.

    `own_sha256`: the copy's own hash, where it is one of the last rows alone.

    Raises:
        SourceError: the source cannot be read.
        SpoolUnavailable: the copy is there and cannot be read.
    """
    copy, digest = spool / (own_sha256 or sha256), hashlib.sha256()
    try:
        if own_sha256:
            size = os.fstat(source.reading.fileno()).st_size
            with copy.open("rb") as kept:
                whole = hashlib.file_digest(kept, "sha256").hexdigest() == own_sha256
            return whole and hashes(source, {size})[size].hexdigest() == sha256
        if copy.stat().st_size != os.fstat(source.reading.fileno()).st_size:
            return False
        _begin(source)
        with copy.open("rb") as kept:
            while block := _read(source, BLOCK):
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

    def __init__(self, source: OpenSource, spool: Path, copy: io.FileIO, prefix: Prefix | None) -> None:
        self._source, self._spool, self._copy = source, spool, copy
        _begin(source)
        self._head = b""
        self._digest = self._copy_digest = hashlib.sha256()
        if prefix:
            self._head, self._digest = prefix.head, prefix.state.copy()
            _asked(source, lambda: source.reading.seek(prefix.size))
            self._digest.update(_read(source, prefix.line_end))

    @property
    def sha256(self) -> str:
        """The hash of the source."""
        return self._digest.hexdigest()

    @property
    def copy_sha256(self) -> str:
        """The hash of what was read here."""
        return self._copy_digest.hexdigest()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        if self._head:
            size = min(len(room), len(self._head))
            room[:size], self._head = self._head[:size], self._head[size:]
        else:
            size = _asked(self._source, lambda: self._source.reading.readinto(buffer))
            self._digest.update(room[:size])
        if self._copy_digest is not self._digest:
            self._copy_digest.update(room[:size])
        self._write(room[:size])
        return size

    def _write(self, block: memoryview) -> None:
        try:
            while block:
                block = block[self._copy.write(block) :]
        except OSError as failed:
            raise _unavailable(self._spool, failed) from failed

    def finish(self) -> None:
        """Have the copy on the disk."""
        try:
            os.fsync(self._copy.fileno())
        except OSError as failed:
            raise _unavailable(self._spool, failed) from failed


def _begin(source: OpenSource) -> None:
    """Read it from its beginning, though it was read before."""
    _asked(source, lambda: source.reading.seek(0))


def _read(source: OpenSource, most: int) -> bytes:
    return _asked(source, lambda: source.reading.read(most)) or b""


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
