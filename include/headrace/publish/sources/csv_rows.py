"""The rows of a CSV file, in one pass over its bytes, some thousand at a time.

Text without a quote needs no CSV reader: its lines are its rows, and the delimiter parts their fields.
Python's strict reader takes the rest. Which of the two has read a row makes no difference to it.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import IO, Self, cast

from headrace.contract.model import CsvSource
from headrace.errors import SourceError

BLOCK = 1 << 20
"""Bytes that are read at a time."""

ROWS = 5_000
"""Rows of a chunk, at the most, where a CSV reader makes them."""

UNESCAPED = bytes({*range(0x20, 0x100)} - {*b'"\\'})
"""The bytes that stand for themselves in a JSON text."""


@dataclass(frozen=True)
class Lines:
    """Rows of which each is one line without a quote; `line` is the number of the first."""

    line: int
    lines: list[str]
    delimiter: str

    def __len__(self) -> int:
        return len(self.lines)

    def behind(self, count: int) -> Self:
        """The rows behind the first `count`."""
        return type(self)(self.line + count, self.lines[count:], self.delimiter) if count else self

    def values(self) -> Iterator[list[str]]:
        """Each row's fields, as they stand in the file."""
        return map(str.split, self.lines, repeat(self.delimiter))

    def misfit(self, width: int) -> tuple[int, list[str]] | None:
        """The line and the fields of the first row that has not so many fields."""
        if {*map(str.count, self.lines, repeat(self.delimiter))} <= {width - 1}:
            return None
        return next((n, row) for n, row in enumerate(self.values(), self.line) if len(row) != width)

    def is_plain(self) -> bool:
        """Whether a JSON text can hold every field as it is: nothing is to be escaped."""
        text = "".join(self.lines).encode()
        return not text.translate(None, UNESCAPED + self.delimiter.encode())


@dataclass(frozen=True)
class Rows:
    """The same as a CSV reader has read them; `lines` are those on which they begin."""

    lines: list[int]
    rows: list[list[str]]

    def __len__(self) -> int:
        return len(self.rows)

    def behind(self, count: int) -> Self:
        """The rows behind the first `count`."""
        return type(self)(self.lines[count:], self.rows[count:]) if count else self

    def values(self) -> Iterator[list[str]]:
        """Each row's fields, as they stand in the file."""
        return iter(self.rows)

    def misfit(self, width: int) -> tuple[int, list[str]] | None:
        """The line and the fields of the first row that has not so many fields."""
        rows = zip(self.lines, self.rows, strict=True)
        return next(((line, row) for line, row in rows if len(row) != width), None)

    def is_plain(self) -> bool:
        """Whether a JSON text can hold every field as it is: nothing is to be escaped."""
        return not "".join(chain.from_iterable(self.rows)).encode().translate(None, UNESCAPED)


Chunk = Lines | Rows
"""Rows that follow each other in a file."""


@dataclass(frozen=True)
class CsvRows:
    """The rows of one CSV file: what is read (a file, or its open bytes); `source` says how, and its name."""

    file: Path | IO[bytes]
    source: CsvSource

    @property
    def folder(self) -> Path | None:
        """Where the file is."""
        return self.file.parent if isinstance(self.file, Path) else None

    def header(self) -> list[str]:
        """The names in the first line; raises as `read`."""
        header, _ = self.read()
        return header

    def read(self) -> tuple[list[str], Iterator[Chunk]]:
        """The header, and the data rows as they are asked for.

        Raises:
            SourceError: the text cannot be read as CSV, or a row has not as many fields as the header.
        """
        chunks = self._chunks()
        first = next(chunks, None)
        header = next(first.values()) if first else []
        if not first or not header:
            raise SourceError(f"{self.source.path}, line 1: is empty; a source begins with its header")
        return header, map(partial(self._fitting, header), chain([first.behind(1)], chunks))

    def _fitting(self, header: list[str], chunk: Chunk) -> Chunk:
        misfit = chunk.misfit(len(header))
        if misfit is None:
            return chunk
        line, values = misfit
        place = f"{self.source.path}, line {line}"
        if not values:
            raise SourceError(f"{place}: the line is empty; remove it")
        wanted = f"the row has {len(values)} fields, the header {len(header)}"
        if len(values) < len(header):
            raise SourceError(f"{place}, field {header[len(values)]}: is missing: {wanted}")
        raise SourceError(
            f"{place}, field {len(header) + 1}: {wanted}; is a field with {self.source.delimiter!r} unquoted?"
        )

    def _chunks(self) -> Iterator[Chunk]:
        texts, line = self._texts(), 1
        for text in texts:
            if lines := self._lines(text):
                yield Lines(line, lines, self.source.delimiter)
                line += len(lines)
            else:
                line = yield from self._read_rows(line, text, texts)

    def _lines(self, text: str) -> list[str]:
        """The text's lines if a CSV reader would make of each line a row; else none."""
        if '"' in text or "\0" in text or self.source.delimiter in '"\r\n':
            return []
        end = "\r\n" if "\r" in text else "\n"
        lines = text.split(end)
        if end == "\r\n" and {text.count("\r"), text.count("\n")} != {len(lines) - 1}:
            return []  # lines end in more than one way
        if not lines[-1]:
            del lines[-1]
        longest = max(map(len, lines))
        return lines if longest <= csv.field_size_limit() and all(lines) else []

    def _read_rows(self, line: int, text: str, texts: Iterator[str]) -> Generator[Rows, None, int]:
        """What the reader makes of the text, and of as many more as its last record goes on in."""
        lines = _ReaderLines(self.source, line, chain([text], texts))
        reader = csv.reader(lines, delimiter=self.source.delimiter, strict=True)
        found, before = Rows([], []), line - 1
        try:
            for values in reader:
                found.lines.append(line)
                found.rows.append(values)
                line = before + reader.line_num + 1
                if lines.text_ended or len(found) == ROWS:
                    yield found
                    found = Rows([], [])
                if lines.text_ended:
                    break
        except csv.Error as broken:
            reason = "a quote is never closed" if "unexpected end" in str(broken) else str(broken)
            raise SourceError(f"{self.source.path}, line {line}: no valid CSV: {reason}") from broken
        return line

    def _texts(self) -> Iterator[str]:
        """The file's text, cut where lines end."""
        rest: list[str] = []
        try:
            for text in self._decoded():
                end = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1  # the last \r may be half an end
                if end:
                    yield "".join([*rest, text[:end]])
                    rest.clear()
                rest.append(text[end:])
        except (EOFError, gzip.BadGzipFile, zlib.error) as broken:
            raise SourceError(f"{self.source.path}: the gzip file is broken or cut off: {broken}") from broken
        except OSError as failed:
            raise SourceError(f"{self.source.path}: cannot be read: {failed.strerror}") from failed
        if last := "".join(rest):
            yield last

    def _decoded(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.source.encoding)("strict")
        read = lines = 0
        with self._open() as raw:
            for block in chain(iter(partial(raw.read, BLOCK), b""), [b""]):
                read += len(block)
                try:
                    yield decoder.decode(block, final=not block)
                except UnicodeDecodeError as broken:
                    raise SourceError(self._undecodable(broken, read, lines)) from broken
                lines += block.count(b"\n")

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        opened = self.file.open("rb") if isinstance(self.file, Path) else nullcontext(self.file)
        with opened as raw:
            # gzip is known by the name: the spooled copy has none, and bytes could look like gzip by chance
            zipped = self.source.path.suffix == ".gz"
            yield cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if zipped else raw

    def _undecodable(self, broken: UnicodeDecodeError, read: int, lines: int) -> str:
        """Where the bytes are wrong: in the last of `read` bytes, behind so many lines."""
        line = lines + 1 + broken.object.count(b"\n", 0, broken.start)
        place = read - len(broken.object) + broken.start + 1
        return (
            f"{self.source.path}, line {line}, byte {place}: 0x{broken.object[broken.start]:02x} is no "
            f"{self.source.encoding.removesuffix('-sig')} text; correct source.encoding in the contract or "
            "the file"
        )


class _ReaderLines:
    """The lines of texts as a CSV reader wants them, with their ends."""

    def __init__(self, source: CsvSource, line: int, texts: Iterator[str]) -> None:
        self._source, self._number, self._texts = source, line, texts
        self._lines: list[str] = []
        self._at = 0

    @property
    def text_ended(self) -> bool:
        """Whether the next line is one of the next text."""
        return self._at == len(self._lines)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self.text_ended:
            self._number += len(self._lines)
            self._lines, self._at = list(io.StringIO(next(self._texts), newline="")), 0
        line = self._lines[self._at]
        if "\0" in line:
            raise SourceError(
                f"{self._source.path}, line {self._number + self._at}: holds a NUL character; is it a text "
                f"file in {self._source.encoding}?"
            )
        self._at += 1
        return line
