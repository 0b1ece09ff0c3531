"""What all kinds of sources have in common: rows, read from the first to the last, and counted."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, Self

from headrace.contract.model import Contract
from headrace.contract.source import CsvSource, JsonlSource, OwnSource
from headrace.publish.sources.csv_rows import CsvRows
from headrace.publish.sources.jsonl_rows import JsonlRows
from headrace.publish.sources.table import Pair

log = logging.getLogger(__name__)


class Chunk(Protocol):
    """Rows that follow each other in a source."""

    def __len__(self) -> int: ...

    def behind(self, count: int) -> Self:
        """The rows behind the first `count`."""


class Content(Protocol):
    """What a source holds: `chunks` of rows as they are read, and lines that are no rows, by why."""

    @property
    def chunks(self) -> Iterator[Any]: ...

    @property
    def skipped(self) -> Counter[str]: ...

    def check(self, contract: Contract) -> None:
        """Whether the contract's fields can be in it; raises SourceError."""

    def keyed_values(self, contract: Contract) -> Callable[[Any], Iterator[Pair]]:
        """What makes of a chunk its records' keys and values."""


class SourceRows(Protocol):
    """The rows of one source: a file, or its open bytes; `source` says how it is read, and its name."""

    @property
    def source(self) -> OwnSource: ...

    @property
    def folder(self) -> Path | None:
        """Where the file is."""

    def read(self) -> Content:
        """Begin to read; raises SourceError, now or on the way, with file and line."""


class Count(NamedTuple):
    """How many rows a source has, and how many lines that are none."""

    rows: int
    skipped: int


def source_rows(file: Path | IO[bytes], source: OwnSource) -> SourceRows:
    """The rows of a file by the kind of the source."""
    match source:
        case CsvSource():
            return CsvRows(file, source)
        case JsonlSource():
            return JsonlRows(file, source)
    from headrace.publish.sources.parquet_rows import ParquetRows  # noqa: PLC0415  # it imports pyarrow

    return ParquetRows(file, source)


def check_source(rows: SourceRows, contract: Contract) -> int:
    """Read the whole file once and count its data rows, so that nothing is published of a broken file.

    Raises:
        SourceError: the message names file, line and field.
    """
    content = rows.read()
    content.check(contract)
    count = sum(map(len, content.chunks))
    if why := ", ".join(f"{lines:,} {why}" for why, lines in content.skipped.items() if lines):
        log.info("%s: %d rows; no rows, as its contract says, are lines: %s", rows.source.path, count, why)
    return count


def check_columns(rows: SourceRows, contract: Contract) -> None:
    """The same of its header alone."""
    rows.read().check(contract)


def count(rows: SourceRows) -> Count:
    """How many data rows there are, and other lines; raises as `SourceRows.read`."""
    content = rows.read()
    return Count(sum(map(len, content.chunks)), content.skipped.total())
