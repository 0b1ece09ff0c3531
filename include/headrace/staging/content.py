"""Whether two readings say the same: their time, their device and their signals, in whatever order."""

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def same_content(rows: pa.Table, others: pa.Table) -> NDArray[np.bool_]:
    """For each row, whether it has the content of the other table's row in that place; nulls are equal."""
    same: NDArray[np.bool_] = np.logical_and(
        *(_equal(rows[name], others[name]) for name in ("signal_ts", "entity"))
    )
    mine, theirs = _counts(rows), _counts(others)
    alike = pl.Series(mine == theirs)
    # Of rows that have as many signals, the entries stand side by side when each row's are sorted.
    left, right = (_entries(each).filter(alike.gather(_entries(each)["row"])) for each in (rows, others))
    differs = (left["name"] != right["name"]) | left["value"].ne_missing(right["value"])
    other: NDArray[np.int64] = left["row"].filter(differs).unique().to_numpy()
    same[other] = False
    same &= mine == theirs
    return same


def _equal(column: pa.ChunkedArray, other: pa.ChunkedArray) -> NDArray[np.bool_]:
    both_null = pc.and_(pc.is_null(column), pc.is_null(other))
    equal: NDArray[np.bool_] = pc.or_(pc.equal(column, other).fill_null(False), both_null).to_numpy()
    return equal


def _counts(rows: pa.Table) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.diff(rows["signals"].combine_chunks().offsets.to_numpy())
    return counts


def _entries(rows: pa.Table) -> pl.DataFrame:
    """All signals of all rows, a line each."""
    signals = rows["signals"].combine_chunks()
    start, end = signals.offsets[0].as_py(), signals.offsets[-1].as_py()
    lines = {
        "row": np.repeat(np.arange(len(signals)), _counts(rows)),
        "name": pl.Series(signals.keys[start:end]),
        "value": pl.Series(signals.items[start:end]),
    }
    return pl.DataFrame(lines).sort("row", "name")
