"""The files of `readings` by what the log says of them: which hold new readings, which hold a day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import pairwise
from operator import or_
from pathlib import Path
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs
from deltalake import DeltaTable

from headrace.tables.columns import schema_of
from headrace.tables.names import READINGS

KNOWN = {
    "path": ("path", pl.String),
    "rows": ("num_records", pl.Int64),
    "first": ("min.signal_date", pl.Date),
    "last": ("max.signal_date", pl.Date),
    "newest": ("max.provenance.batch", pl.Int64),
}

SPANS = 32
"""Ranges of days that a filter names at most: readers pass over what lies between them."""


@dataclass(frozen=True)
class ReadingsFiles:
    """Files of `readings`, a row each: `path`, `rows`, `first` and `last` day, `newest` batch in it.

    What the log does not say is null, and stands in nobody's way: such a file may hold anything.
    """

    folder: Path
    files: pl.DataFrame

    @classmethod
    def of(cls, table: Path, version: int | None = None) -> Self:
        """All files of the table, at a version or at its newest."""
        described = pl.DataFrame(pa.table(DeltaTable(table, version).get_add_actions(flatten=True)))
        columns = [
            (pl.col(name) if name in described.columns else pl.lit(None)).cast(kind).alias(column)
            for column, (name, kind) in KNOWN.items()
        ]
        return cls(table, described.select(columns))

    @property
    def rows(self) -> int:
        """Readings in these files."""
        return int(self.files["rows"].sum())

    def since(self, batch: int) -> Self:
        """Those that may hold readings of later batches."""
        return self._where((pl.col("newest") > batch).fill_null(value=True))

    def holding(self, days: Sequence[date]) -> Self:
        """Those that may hold readings of these days, which are in order."""
        sought = pl.Series(days, dtype=pl.Date)
        before_first = sought.search_sorted(self.files["first"], "left")
        up_to_last = sought.search_sorted(self.files["last"], "right")
        return self._where((up_to_last > before_first) | self.files["first"].is_null())

    def touched_since(self, batch: int) -> list[date]:
        """The days with readings of later batches, in order; it looks into files with such readings only."""
        newer = pc.field("provenance", "batch") > batch
        days = self.since(batch).scanner(["signal_date"], newer).to_batches()
        return sorted({day for some in days for day in pc.unique(some["signal_date"]).to_pylist()})

    def readings_a_day(self) -> pl.DataFrame:
        """How many readings each day has in these files: `signal_date` and `len`, in order."""
        parts = [
            pl.DataFrame(some).group_by("signal_date").len()
            for some in self.scanner(["signal_date"]).to_batches()
        ]
        empty = pl.DataFrame(schema={"signal_date": pl.Date, "len": pl.UInt32})
        return pl.concat([empty, *parts]).group_by("signal_date").agg(pl.col("len").sum()).sort("signal_date")

    def scanner(
        self, columns: list[str], where: pc.Expression | None = None, schema: pa.Schema | None = None
    ) -> ds.Scanner:
        """Reads the columns of these files a few batches ahead, not as many as there is memory for.

        `schema`: the contract's, where signals have columns; one that a file does not have yet is null.
        """
        paths = [str(self.folder / path) for path in self.files["path"]]
        files = ds.FileSystemDataset.from_paths(
            paths, schema or schema_of(READINGS), ds.ParquetFileFormat(), pyarrow.fs.LocalFileSystem()
        )
        return files.scanner(columns, filter=where, batch_readahead=4, fragment_readahead=2)

    def _where(self, which: pl.Expr | pl.Series) -> Self:
        return type(self)(self.folder, self.files.filter(which))


def on_days(days: Sequence[date]) -> pc.Expression:
    """Whether a reading is of one of these days, in words that let Parquet's readers pass over the rest."""
    day = pc.field("signal_date")
    within = reduce(
        or_, [(day >= pa.scalar(first)) & (day <= pa.scalar(last)) for first, last in spans(days)]
    )
    return within & day.isin(pa.array(days, pa.date32()))


def spans(days: Sequence[date], most: int = SPANS) -> list[tuple[date, date]]:
    """First and last day of each of `most` ranges at most that hold all of the days, which are in order.

    They are cut at the longest gaps.
    """
    gaps = [(later - day).days for day, later in pairwise(days)]
    longest = sorted(range(len(gaps)), key=lambda at: -gaps[at])[: most - 1]
    cuts = [0, *(at + 1 for at in sorted(at for at in longest if gaps[at] > 1)), len(days)]
    return [(days[start], days[end - 1]) for start, end in pairwise(cuts) if end > start]


def in_chunks(days: Iterable[tuple[date, int]], rows: int) -> list[list[date]]:
    """Days that follow each other, as many together as have `rows` readings at most, but one at least."""
    chunks: list[list[date]] = []
    held = 0
    for day, count in days:
        if not chunks or held + count > rows:
            chunks.append([])
            held = 0
        chunks[-1].append(day)
        held += count
    return chunks
