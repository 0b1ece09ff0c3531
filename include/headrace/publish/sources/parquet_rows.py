"""The rows of a Parquet file, in its own order; each value as the text that stands for it and for no other.

A number is its shortest text that is read as the same number, an instant its ISO 8601 form (in UTC if the
column has a zone), a decimal has all its places. What has no such text (lists, structs, bytes) is refused.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from json.encoder import encode_basestring
from pathlib import Path
from typing import IO, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headrace.contract.source import ParquetSource
from headrace.errors import SourceError
from headrace.publish.sources import text as reading
from headrace.publish.sources.table import Table

ROWS = 5_000
"""Rows of a chunk."""

IN_MEMORY = 64 << 20
"""Bytes of a file that is not there as one: Parquet is read from its end."""

LARGEST_GROUP = 2 << 30
"""Bytes of a group of rows, not compressed: as much is in memory at a time."""


@dataclass(frozen=True)
class Columns:
    """Rows that follow each other, a list of texts for each column; None where there is no value."""

    columns: list[list[str | None]]
    rows: int

    def __len__(self) -> int:
        return self.rows

    def behind(self, count: int) -> Self:
        """The rows behind the first `count`."""
        return type(self)([each[count:] for each in self.columns], self.rows - count) if count else self

    def values(self) -> Iterator[list[str | None]]:
        """Each row's fields."""
        return map(list, zip(*self.columns, strict=True))

    def is_plain(self) -> bool:
        """Never: a value may be none."""
        return False

    @staticmethod
    def encode(value: str | None) -> str:
        """A value as JSON."""
        return "null" if value is None else encode_basestring(value)


@dataclass(frozen=True)
class ParquetRows:
    """The rows of one file: what is read (a file, or its open bytes); `source` says how, and its name."""

    file: Path | IO[bytes]
    source: ParquetSource

    @property
    def folder(self) -> Path | None:
        """Where the file is."""
        return self.file.parent if isinstance(self.file, Path) else None

    def read(self) -> Table[Columns]:
        """The columns' names, and the rows as they are asked for.

        Raises:
            SourceError: it is no Parquet file, or broken, or a column has no texts.
        """
        parquet = self._open()
        names = self._names(parquet)
        types = [parquet.schema_arrow.field(name).type for name in names]
        for name, kind in zip(names, types, strict=True):
            if not _has_texts(kind):
                raise SourceError(
                    f"{self.source.path}, column {name!r}: is of type {kind}, of which no value has a text "
                    "of its own; name the columns that are to be read in source.columns"
                )
        return Table(names, f"{self.source.path}, schema", self._chunks(parquet, names), Counter())

    def _open(self) -> pq.ParquetFile:
        with self._faults_named():
            parquet = pq.ParquetFile(self.file if isinstance(self.file, Path) else _whole(self.file))
        metadata = parquet.metadata
        for number in range(metadata.num_row_groups):
            size = metadata.row_group(number).total_byte_size
            if size > LARGEST_GROUP:
                raise SourceError(
                    f"{self.source.path}: its row group {number + 1} has {size >> 20:,} MB, more than the "
                    f"{LARGEST_GROUP >> 20:,} MB that are read at a time; write it with smaller row groups"
                )
        return parquet

    def _names(self, parquet: pq.ParquetFile) -> list[str]:
        there = Counter(parquet.schema_arrow.names)
        wanted = list(there) if self.source.columns is None else list(self.source.columns)
        for name in wanted:
            if there[name] != 1:
                how = "stands there twice" if there[name] else "is not there"
                raise SourceError(
                    f"{self.source.path}, column {name!r}: {how}; correct source.columns in the contract, or "
                    "the file"
                )
        return wanted

    def _chunks(self, parquet: pq.ParquetFile, names: list[str]) -> Iterator[Columns]:
        before = 0
        with self._faults_named():
            for batch in parquet.iter_batches(ROWS, columns=names, use_threads=False):
                batch.validate(full=True)  # texts that are no UTF-8
                columns = [_texts(batch.column(name)) for name in names]
                self._require_short(columns, before)
                yield Columns([column.to_pylist() for column in columns], len(batch))
                before += len(batch)

    def _require_short(self, columns: list[pa.Array], before: int) -> None:
        lengths = np.zeros(len(columns[0]), np.int64)
        for each in columns:
            lengths += pc.fill_null(pc.utf8_length(each), 0).to_numpy(zero_copy_only=False)
        if (lengths > reading.LONGEST).any():
            row = before + 1 + int(np.argmax(lengths > reading.LONGEST))
            raise SourceError(
                f"{self.source.path}, row {row}: is longer than the {reading.LONGEST:,} characters that a "
                "row may have; name the columns that are to be read in source.columns"
            )

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except pa.ArrowException as broken:
            raise SourceError(
                f"{self.source.path}: is no Parquet file, or a broken one; put a sound one in its place"
            ) from broken
        except OSError as failed:
            reason = failed.strerror or "it is no Parquet file, or a broken one"
            raise SourceError(f"{self.source.path}: cannot be read: {reason}") from failed


def columns_with_texts(file: Path) -> tuple[list[str], list[str]]:
    """The columns whose values have texts of their own and which stand there once, and the others.

    Raises:
        SourceError: it is no Parquet file, or broken.
    """
    rows = ParquetRows(file, ParquetSource(kind="parquet", path=file))
    schema = rows._open().schema_arrow  # noqa: SLF001  # its own class's
    times = Counter(schema.names)
    fitting = [each.name for each in schema if times[each.name] == 1 and _has_texts(each.type)]
    return fitting, [name for name in times if name not in fitting]


def _whole(raw: IO[bytes]) -> IO[bytes]:
    """The bytes as a file that can be read from its end."""
    if raw.seekable():
        return raw
    held = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # ends with its reader
    shutil.copyfileobj(raw, held, 1 << 20)
    held.seek(0)
    return cast(IO[bytes], held)


def _has_texts(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_texts(kind.value_type)
    asked = (
        *(pa.types.is_integer, pa.types.is_float32, pa.types.is_float64, pa.types.is_decimal),
        *(pa.types.is_boolean, pa.types.is_string, pa.types.is_large_string, pa.types.is_date),
        *(pa.types.is_time, pa.types.is_timestamp, pa.types.is_null),
    )
    return any(is_one(kind) for is_one in asked)


def _texts(column: pa.Array) -> pa.Array:
    """The column's values as texts."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        if kind.tz:
            column = pc.cast(column, pa.timestamp(kind.unit, "UTC"))
        return pc.replace_substring(pc.cast(column, pa.string()), " ", "T", max_replacements=1)
    texts = pc.cast(column, pa.string())
    if pa.types.is_floating(kind):  # as JSON's readers call them
        for mine, theirs in (("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity")):
            texts = pc.if_else(pc.equal(texts, mine), theirs, texts)
    return texts
