"""The rows of a CSV file, in one pass over its bytes, some thousand at a time.

Text without a quote needs no CSV reader: its lines are its rows, and the delimiter parts their fields.
Python's strict reader takes the rest. Which of the two has read a row makes no difference to it.
"""

import csv
import io
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, repeat
from json.encoder import encode_basestring
from pathlib import Path
from typing import IO, Self

from headrace.contract.source import CsvSource
from headrace.errors import SourceError
from headrace.publish.sources.csv_lines import Between, ReaderLines
from headrace.publish.sources.table import Table, is_plain
from headrace.publish.sources.text import SourceText

ROWS = 5_000
"""Rows of a chunk, at the most, where a CSV reader makes them."""


@dataclass(frozen=True)
class Lines:
    """Rows of which each is one line without quotes and escapes, with the lines' numbers in the file."""

    numbers: Sequence[int]
    lines: list[str]
    delimiter: str

    def __len__(self) -> int:
        return len(self.lines)

    def behind(self, count: int) -> Self:
        """The rows behind the first `count`."""
        return replace(self, numbers=self.numbers[count:], lines=self.lines[count:]) if count else self

    def values(self) -> Iterator[list[str]]:
        """Each row's fields, as they stand in the file."""
        return map(str.split, self.lines, repeat(self.delimiter))

    def misfit(self, width: int) -> tuple[int, list[str]] | None:
        """The line and the fields of the first row that has not so many fields."""
        if {*map(str.count, self.lines, repeat(self.delimiter))} <= {width - 1}:
            return None
        rows = zip(self.numbers, self.values(), strict=True)
        return next((number, row) for number, row in rows if len(row) != width)

    def is_plain(self) -> bool:
        """Whether a JSON text can hold every field as it is: nothing is to be escaped."""
        return is_plain("".join(self.lines), but=self.delimiter)

    encode = staticmethod(encode_basestring)


@dataclass(frozen=True)
class Rows:
    """Rows as a CSV reader has read them, with the numbers of the lines on which they begin."""

    numbers: list[int]
    rows: list[list[str]]

    def __len__(self) -> int:
        return len(self.rows)

    def behind(self, count: int) -> Self:
        """The rows behind the first `count`."""
        return type(self)(self.numbers[count:], self.rows[count:]) if count else self

    def values(self) -> Iterator[list[str]]:
        """Each row's fields, as the reader gave them."""
        return iter(self.rows)

    def misfit(self, width: int) -> tuple[int, list[str]] | None:
        """The line and the fields of the first row that has not so many fields."""
        rows = zip(self.numbers, self.rows, strict=True)
        return next(((number, row) for number, row in rows if len(row) != width), None)

    def is_plain(self) -> bool:
        """Whether a JSON text can hold every field as it is: nothing is to be escaped."""
        return is_plain("".join(chain.from_iterable(self.rows)))

    encode = staticmethod(encode_basestring)


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

    def read(self) -> Table[Chunk]:
        """The header, and the data rows as they are asked for.

        Raises:
            SourceError: the text cannot be read as CSV, or a row has not as many fields as the header.
        """
        skipped: Counter[str] = Counter()
        chunks = filter(len, self._chunks(skipped))
        header, place, data = self._header(chunks)
        fitting = map(partial(self._fitting, header), self._without_units(data, skipped))
        return Table(header, f"{self.source.path}, {place}", fitting, skipped)

    def _header(self, chunks: Iterator[Chunk]) -> tuple[list[str], str, Iterator[Chunk]]:
        """The names of the columns, where they stand, and what is behind them."""
        if self.source.names is not None:
            return list(self.source.names), "source.names", chunks
        first = next(chunks, None)
        header = next(first.values()) if first else []
        if not first or not header:
            place = f"{self.source.path}, line {self.source.preamble + 1}"
            raise SourceError(f"{place}: is empty; a source begins with its header")
        if self.source.trim:
            header = [name.strip() for name in header]
        if self.source.trailing_delimiter and not header[-1]:
            header.pop()
        return header, f"line {first.numbers[0]}", chain([first.behind(1)], chunks)

    def _without_units(self, chunks: Iterator[Chunk], skipped: Counter[str]) -> Iterator[Chunk]:
        wanted = self.source.units
        for chunk in chunks:
            count = min(wanted - skipped["of units"], len(chunk))
            skipped["of units"] += count
            yield chunk.behind(count)
        if skipped["of units"] < wanted:
            raise SourceError(
                f"{self.source.path}: ends before the {wanted} rows of units that stand behind its header; "
                "correct source.units in the contract"
            )

    def _fitting(self, header: list[str], chunk: Chunk) -> Chunk:
        """The chunk's rows, trimmed as the contract says, if each has a field for each column."""
        if self.source.trim:
            rows = [[*map(str.strip, row)] for row in chunk.values()]
            chunk = Rows([*chunk.numbers], rows)
        ending = self.source.trailing_delimiter
        misfit = chunk.misfit(len(header) + ending)
        if misfit:
            raise SourceError(self._misfit(header, *misfit))
        if not ending:
            return chunk
        rows = [*chunk.values()]
        for number, row in zip(chunk.numbers, rows, strict=True):
            if row.pop():
                raise SourceError(
                    f"{self.source.path}, line {number}: something stands behind the last delimiter; remove "
                    "it, or source.trailing_delimiter from the contract"
                )
        return Rows([*chunk.numbers], rows)

    def _misfit(self, header: list[str], line: int, values: list[str]) -> str:
        place, delimiter = f"{self.source.path}, line {line}", self.source.delimiter
        if not values:
            return f"{place}: the line is empty; remove it, or set source.blank_lines: skip in the contract"
        count, width = len(values), len(header)
        wanted = f"the row has {count} fields, the header {width}"
        if self.source.trailing_delimiter:
            return f"{place}: {wanted}, and one more for the trailing delimiter; correct the row"
        if count < width:
            return f"{place}, field {header[count]}: is missing: {wanted}"
        if count == width + 1 and not values[-1].strip():
            return (
                f"{place}, field {count}: {wanted}; if each row ends with {delimiter!r}, set "
                "source.trailing_delimiter: true in the contract"
            )
        return f"{place}, field {width + 1}: {wanted}; is a field with {delimiter!r} unquoted?"

    def _chunks(self, skipped: Counter[str]) -> Iterator[Chunk]:
        text = SourceText(self.file, self.source.path, self.source.encoding)
        texts, line = self._without_preamble(text.pieces(), skipped), self.source.preamble + 1
        for piece in texts:
            lines = self._lines(piece)
            if lines is None:
                line = yield from self._read_rows(line, chain([piece], texts), skipped)
            else:
                yield self._kept(range(line, line + len(lines)), lines, skipped)
                line += len(lines)

    def _without_preamble(self, texts: Iterator[str], skipped: Counter[str]) -> Iterator[str]:
        wanted = self.source.preamble
        for text in texts:
            if missing := wanted - skipped["before the header"]:
                lines = list(io.StringIO(text, newline=""))
                skipped["before the header"] += len(lines[:missing])
                yield "".join(lines[missing:])
            else:
                yield text

    def _lines(self, text: str) -> list[str] | None:
        """The text's lines if a CSV reader would make of each line a row; else None."""
        if any(each in text for each in (self.source.quote, self.source.escape, "\0") if each):
            return None
        end = "\r\n" if "\r" in text else "\n"
        lines = text.split(end)
        if end == "\r\n" and {text.count("\r"), text.count("\n")} != {len(lines) - 1}:
            return None  # lines end in more than one way
        if not lines[-1]:
            del lines[-1]
        longest = max(map(len, lines), default=0)
        sound = longest <= csv.field_size_limit() and (self.source.blank_lines == "skip" or all(lines))
        return lines if sound else None

    def _kept(self, numbers: range, lines: list[str], skipped: Counter[str]) -> Lines:
        """Those that are rows."""
        between = Between(self.source)
        if not between:
            return Lines(numbers, lines, self.source.delimiter)
        whys = [*map(between.why, lines)]
        skipped.update(filter(None, whys))
        kept = [(number, line) for number, line, why in zip(numbers, lines, whys, strict=True) if not why]
        return Lines([number for number, _ in kept], [line for _, line in kept], self.source.delimiter)

    def _read_rows(
        self, line: int, texts: Iterator[str], skipped: Counter[str]
    ) -> Generator[Rows, None, int]:
        """What the reader makes of the first text, and of as many more as its last record goes on in."""
        source = self.source
        lines = ReaderLines(self.source, line, texts, skipped)
        reader = csv.reader(
            lines,
            delimiter=source.delimiter,
            quotechar=source.quote,
            quoting=csv.QUOTE_NONE if source.quote is None else csv.QUOTE_MINIMAL,
            escapechar=source.escape,
            skipinitialspace=source.trim,
            strict=True,
        )
        found = Rows([], [])
        try:
            for values in reader:
                found.numbers.append(lines.began)
                found.rows.append(values)
                ended = lines.begin_row()
                if ended or len(found) == ROWS:
                    yield found
                    found = Rows([], [])
                if ended:
                    break
        except csv.Error as broken:
            reason = "a quote is never closed" if "unexpected end" in str(broken) else str(broken)
            raise SourceError(f"{source.path}, line {lines.began}: no valid CSV: {reason}") from broken
        return lines.number + 1
