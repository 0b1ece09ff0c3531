"""The lines of a CSV file: which of them are between rows, and how a CSV reader gets the others."""

import io
from collections import Counter
from collections.abc import Iterator
from typing import Self

from headrace.contract.source import CsvSource
from headrace.errors import SourceError
from headrace.publish.sources import text as reading
from headrace.publish.sources.text import too_long


class Between:
    """Says which lines stand between rows; false where there can be none."""

    def __init__(self, source: CsvSource) -> None:
        self._source = source

    def __bool__(self) -> bool:
        return self._source.comment is not None or self._source.blank_lines == "skip"

    def why(self, line: str) -> str | None:
        """Why a line on which a row could begin is none."""
        source = self._source
        if source.comment and line.startswith(source.comment):
            return "of comments"
        skips = source.blank_lines == "skip" and source.delimiter not in line
        return "blank" if skips and not line.strip() else None


class ReaderLines:
    """The lines of texts as a CSV reader wants them, with their ends, but for those between rows.

    `number`: of the line that was handed out last; `began`: of the one on which its row began.
    """

    def __init__(self, source: CsvSource, line: int, texts: Iterator[str], skipped: Counter[str]) -> None:
        self._source, self._texts, self._skipped = source, texts, skipped
        self._between = Between(source)
        self._lines: list[str] = []
        self._at = self._length = 0
        self._begins = True
        self.number, self.began = line - 1, line

    def __iter__(self) -> Self:
        return self

    def begin_row(self) -> bool:
        """A row begins with the next line that is not skipped; whether that is one of the next text."""
        self._begins, self._length = True, 0
        if self._between:
            self._skip()
        return self._at == len(self._lines)

    def _skip(self) -> None:
        while self._at < len(self._lines):
            why = self._between.why(self._lines[self._at].rstrip("\r\n"))
            if why is None:
                break
            self._skipped[why] += 1
            self._at += 1
            self.number += 1

    def __next__(self) -> str:
        while self._at == len(self._lines):
            self._lines, self._at = list(io.StringIO(next(self._texts), newline="")), 0
            if self._begins:
                self.begin_row()
        line = self._lines[self._at]
        self._at += 1
        self.number += 1
        if self._begins:
            self._begins, self.began = False, self.number
        self._length += len(line)
        path = self._source.path
        if self._length > reading.LONGEST:
            raise SourceError(too_long(path, self.began))
        if "\0" in line:
            raise SourceError(
                f"{path}, line {self.number}: holds a NUL character; is it a text file in "
                f"{self._source.encoding}?"
            )
        return line
