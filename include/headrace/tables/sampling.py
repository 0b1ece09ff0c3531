"""A bounded number of a table's rows, evenly spread over all of them, without reading the rest."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    from headrace.tables.active_files import ActiveFile

PLACES = 60
"""Into how many parts the rows are thought to be divided; of each some rows in a row are taken."""


def sample(
    folder: Path, files: Sequence["ActiveFile"], column: str, count: int
) -> Iterator["pa.RecordBatch"]:
    """One column of `count` rows or fewer.

    A part's rows begin at the row group that its middle lies in: what comes before in there would have to be
    read, too.
    """
    from pyarrow.parquet import ParquetFile

    ends = list(accumulate(file.rows for file in files))
    parts = min(PLACES, count)
    for part in range(parts):
        middle = (2 * part + 1) * ends[-1] // (2 * parts)
        which = bisect_right(ends, middle)
        with ParquetFile(folder / files[which].path) as file:
            group = _group(file, middle - (ends[which] - files[which].rows))
            batches = file.iter_batches(count // parts, row_groups=[group], columns=[column])
            yield from islice(batches, 1)


def _group(file: "ParquetFile", row: int) -> int:
    """The row group that holds that row."""
    ends = accumulate(file.metadata.row_group(each).num_rows for each in range(file.num_row_groups))
    return bisect_right(list(ends), row)
