"""As much of a file as a draft looks at: a small one whole, of a large one head and pieces spread over it."""

import codecs
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headrace.errors import SourceError
from headrace.publish.sources.compression import KINDS, decompressed, faults_named

MOST = 64 << 20
"""Bytes that are looked at."""

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

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
    zipped = file.suffix in KINDS
    with faults_named(file), file.open("rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        head = decompressed(raw, file).read(MOST + 1)
        whole = len(head) <= MOST
        spread = () if whole or zipped else tuple(_spread(raw, size))
    if b"\0" in head[:4096] and head[:2] not in UTF_16:
        raise SourceError(
            f"{file}: is neither text nor Parquet; of another binary file the contract is written by hand "
            "(docs/reference/contract.md)"
        )
    if not head.strip():
        raise SourceError(f"{file}: is empty; give a sample with a header and some rows")
    if not whole:
        head = _to_last_line(head[: MOST // 2] if spread else head)
    return Pieces(head, spread, whole, size)


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
