"""Compressed sources, known by their names: the spool's copy has none, and bytes could look so by chance."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from headrace.errors import SourceError

KINDS = {".gz": "gzip", ".bz2": "bzip2", ".zst": "zstd"}
"""A name's ending -> what such a file is."""

CODECS = {"bzip2": "bz2", "zstd": "zstd"}
"""What pyarrow calls them."""


def decompressed(raw: IO[bytes], path: Path) -> IO[bytes]:
    """The bytes of a source of that name, decompressed as they are read, never more than was asked for.

    Whatever stands behind the compressed bytes is a fault. Python's own bz2 passes over it, and so over a
    second part of the file whose beginning is damaged: pyarrow does not.
    """
    kind = KINDS.get(path.suffix)
    if kind is None:
        return raw
    if kind == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    import pyarrow as pa  # noqa: PLC0415  # most sources need none of it

    return cast(IO[bytes], pa.CompressedInputStream(pa.PythonFile(_Lent(raw), mode="r"), CODECS[kind]))


class _Lent:
    """Bytes that go on to be their owner's: pyarrow closes what it has read."""

    closed = False

    def __init__(self, raw: IO[bytes]) -> None:
        self.read = raw.read

    def close(self) -> None:
        """Nothing."""


@contextmanager
def faults_named(path: Path) -> Iterator[None]:
    """What goes wrong while such bytes are read, as a SourceError."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as broken:
        raise _broken(path, broken) from broken
    except OSError as failed:
        if failed.errno is None and path.suffix in KINDS:  # how pyarrow tells of bad bytes
            raise _broken(path, failed) from failed
        raise SourceError(f"{path}: cannot be read: {failed.strerror}; permit reading") from failed


def _broken(path: Path, broken: Exception) -> SourceError:
    return SourceError(
        f"{path}: the {KINDS[path.suffix]} file is broken or cut off: {broken}; put a whole one in its place"
    )
