"""The rows of a Parquet file as columns of texts, which are those that would be published of it."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from headrace.contract.source import ParquetSource
from headrace.draft.look import Look
from headrace.errors import SourceError
from headrace.publish.sources.parquet_rows import ROWS, ParquetRows, columns_with_texts

MAGIC = b"PAR1"

MOST = 200_000
"""Rows that are looked at."""


@dataclass(frozen=True)
class Chosen:
    """The columns that are read, and those that have no texts (lists, structs, bytes)."""

    read: tuple[str, ...]
    left_out: tuple[str, ...]


def is_parquet(file: Path) -> bool:
    """Whether it begins as such a file does."""
    with file.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC


def look_at_parquet(file: Path) -> tuple[Look, Chosen]:
    """The first rows of the columns that have texts.

    Raises:
        SourceError: it cannot be read, or has no rows or no such column.
    """
    names, left_out = columns_with_texts(file)
    if not names:
        raise SourceError(f"{file}: none of its columns holds values that have a text: {', '.join(left_out)}")
    rows = ParquetRows(file, ParquetSource(kind="parquet", path=file, columns=tuple(names)))
    frames, seen = [], 0
    for chunk in rows.read().chunks:
        columns = {str(at): pl.Series(texts, dtype=pl.String) for at, texts in enumerate(chunk.columns)}
        frames.append(pl.DataFrame(columns))
        seen += len(chunk)
        if seen >= MOST:
            break
    if not seen:
        raise SourceError(f"{file}: is empty; give a sample with some rows")
    total = pq.read_metadata(file).num_rows
    said = f"{seen:,} of its {total:,} rows, of {len(names)} columns"
    return Look(pl.concat(frames), tuple(names), said, seen == total), Chosen(tuple(names), tuple(left_out))


def write_head(file: Path, head: Path) -> None:
    """A file of the first rows of that one."""
    batch = next(pq.ParquetFile(file).iter_batches(ROWS))
    pq.write_table(pa.Table.from_batches([batch]), head)
