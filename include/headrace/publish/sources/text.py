"""A source's text, a megabyte at a time, cut where lines end, however it is encoded or compressed."""

import codecs
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any

from headrace.errors import SourceError
from headrace.publish.sources.compression import decompressed, faults_named

BLOCK = 1 << 20
"""Bytes that are read at a time."""

LONGEST = 1 << 20
"""Characters of a row. A file without line ends, or some bytes of gzip that stand for gigabytes, end here."""


@dataclass(frozen=True)
class SourceText:
    """The text of a file, or of its open bytes; `path`: its name, which says whether it is compressed.

    `lone_returns`: whether a carriage return ends a line, too, without a line feed behind it.
    """

    file: Path | IO[bytes]
    path: Path
    encoding: str
    lone_returns: bool = True

    def pieces(self) -> Iterator[str]:
        """The text, each piece some lines with their ends.

        Raises:
            SourceError: it cannot be read, decompressed or decoded, or a line is longer than `LONGEST`.
        """
        rest: list[str] = []
        length, line = 0, 1
        for text in self._decoded():
            end = text.rfind("\n") + 1
            if not end and self.lone_returns:
                end = text.rfind("\r", 0, -1) + 1  # the last one may be half of an end
            if end:
                piece = "".join([*rest, text[:end]])
                yield piece
                line += piece.count("\n") or piece.count("\r")
                rest.clear()
                length = 0
            rest.append(text[end:])
            length += len(text) - end
            if length > LONGEST:
                raise SourceError(too_long(self.path, line))
        if last := "".join(rest):
            yield last

    def _decoded(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        read, lines = 0, 1
        with faults_named(self.path), self._opened() as raw:
            blocks = decompressed(raw, self.path)
            for block in chain(iter(partial(blocks.read, BLOCK), b""), [b""]):
                state = decoder.getstate()
                try:
                    text = decoder.decode(block, final=not block)
                except UnicodeDecodeError as broken:
                    place = read + len(block) - len(broken.object) + broken.start
                    line = lines + self._lines_before(broken, block, state)
                    raise SourceError(self._undecodable(broken, line, place)) from broken
                yield text
                read += len(block)
                lines += text.count("\n")

    def _opened(self) -> AbstractContextManager[IO[bytes]]:
        return self.file.open("rb") if isinstance(self.file, Path) else nullcontext(self.file)

    def _lines_before(self, broken: UnicodeDecodeError, block: bytes, state: Any) -> int:
        """How many lines end in what stands before the wrong bytes, since the decoder was in that state."""
        lenient = codecs.getincrementaldecoder(self.encoding)("replace")
        lenient.setstate(state)
        kept = len(broken.object) - len(block)  # bytes that the decoder had kept of the block before
        return lenient.decode(block[: max(broken.start - kept, 0)]).count("\n")

    def _undecodable(self, broken: UnicodeDecodeError, line: int, place: int) -> str:
        return (
            f"{self.path}, line {line}, byte {place + 1}: 0x{broken.object[broken.start]:02x} is no "
            f"{self.encoding.removesuffix('-sig')} text; correct source.encoding in the contract or the file"
        )


def too_long(path: Path, line: int) -> str:
    """What is said of a row that is longer than `LONGEST`."""
    return (
        f"{path}, line {line}: is longer than the {LONGEST:,} characters that a row may have; is it a text "
        "file, and is a quote left open?"
    )
