"""As much of a file as a draft looks at: a small one whole, of a large one head and pieces spread over it."""

import bz2
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from headrace.errors import SourceError

MOST = 64 << 20
"""Bytes that are looked at."""

PIECES = 32
"""Of a larger file, behind its head, which is half of what is looked at."""


@dataclass(frozen=True)
class Pieces:
    """The head and the pieces behind it, which begin and end where lines do; `size`: the file's own bytes."""

    head: bytes
    spread: tuple[bytes, ...]
    whole: bool
    size: int

    @property
    def said(self) -> str:
        """What was looked at."""
        if self.whole:
            return f"read whole, {_bytes(self.size)}"
        seen = len(self.head) + sum(map(len, self.spread))
        which = "head and pieces" if self.spread else "the head"
        return f"{_bytes(seen)} looked at of {_bytes(self.size)}: {which}"


def read_pieces(file: Path) -> Pieces:
    """What is looked at of a file; of a compressed one, by its name, the head of what is in it.

    Raises:
        SourceError: it cannot be read, or holds nothing.
    """
    try:
        size = file.stat().st_size
        with _opened(file) as raw:
            head = raw.read(MOST + 1)
            whole = len(head) <= MOST
            zipped = file.suffix in (".gz", ".bz2")
            spread = () if whole or zipped else tuple(_spread(raw, size))
    except (EOFError, zlib.error, gzip.BadGzipFile) as broken:
        raise SourceError(f"{file}: the compressed file is broken or cut off: {broken}") from broken
    except OSError as failed:
        raise SourceError(f"{file}: cannot be read: {failed.strerror or failed}") from failed
    if not head.strip():
        raise SourceError(f"{file}: is empty; give a sample with a header and some rows")
    if not whole:
        head = _to_last_line(head[: MOST // 2] if spread else head)
    return Pieces(head, spread, whole, size)


def _opened(file: Path) -> IO[bytes]:
    if file.suffix == ".gz":
        return cast(IO[bytes], gzip.open(file))
    return cast(IO[bytes], bz2.open(file)) if file.suffix == ".bz2" else file.open("rb")


def _spread(raw: IO[bytes], size: int) -> list[bytes]:
    """Whole lines from places evenly spread over what lies behind the head."""
    head, length = MOST // 2, MOST // 2 // PIECES
    found = []
    for number in range(PIECES):
        raw.seek(head + (size - head - length) * number // (PIECES - 1))
        raw.readline(length)  # the rest of a line
        found.append(_to_last_line(raw.read(length)))
    return found


def _to_last_line(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1] or data


def _bytes(count: int) -> str:
    size, unit = float(count), "bytes"
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
