"""Whether two readings say the same: their time, their device and their signals, in whatever order."""

from functools import reduce
from operator import and_

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


def same_content(rows: pa.Table, others: pa.Table) -> Flags:
    """For each row, whether it has the content of the other table's row in that place; nulls are equal.

    Of typed columns the values count, of maps the texts. The provenance is no content.
    """
    names = [name for name in rows.column_names if name != "provenance"]
    return reduce(and_, (_same(rows[name].combine_chunks(), others[name].combine_chunks()) for name in names))


def _same(column: pa.Array, other: pa.Array) -> Flags:
    return _same_map(column, other) if pa.types.is_map(column.type) else _equal(column, other)


def _same_map(column: pa.MapArray, other: pa.MapArray) -> Flags:
    mine, theirs = _counts(column), _counts(other)
    same: Flags = mine == theirs
    alike = pl.Series(same)
    # Of rows that have as many entries, these stand side by side when each row's are sorted.
    left, right = (_entries(each).filter(alike.gather(_entries(each)["row"])) for each in (column, other))
    differs = (left["name"] != right["name"]) | left["value"].ne_missing(right["value"])
    apart: NDArray[np.int64] = left["row"].filter(differs).unique().to_numpy()
    same[apart] = False
    return same


def _equal(column: pa.Array, other: pa.Array) -> Flags:
    both_null = pc.and_(pc.is_null(column), pc.is_null(other))
    equal = pc.or_(pc.equal(column, other).fill_null(False), both_null)
    flags: Flags = equal.to_numpy(zero_copy_only=False)
    return flags


def _counts(column: pa.MapArray) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.diff(column.offsets.to_numpy())
    return counts


def _entries(column: pa.MapArray) -> pl.DataFrame:
    """All entries of all rows, a line each."""
    start, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
    lines = {
        "row": np.repeat(np.arange(len(column)), _counts(column)),
        "name": pl.Series(column.keys[start:end]),
        "value": pl.Series(column.items[start:end]),
    }
    return pl.DataFrame(lines).sort("row", "name")
