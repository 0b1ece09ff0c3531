"""A bounded number of a table's rows, spread over all of them, without reading the rest."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from headrace.tables.active_files import ActiveFile

PLACES = 60
"""At how many places of the table rows are taken; each costs the opening of a file at most."""

DEPTH = 4
"""Of so many rows at a place one is taken: a row group begins with rows of the same few days."""


def sample(
    folder: Path, files: Sequence[ActiveFile], columns: list[str], count: int
) -> Iterator[pa.RecordBatch]:
    """These columns of `count` rows or fewer; without those that a file does not have.

    At a place rows are read from the beginning of its row group: what comes before in there would have to be
    read, too.
    """
    ends = list(accumulate(file.rows for file in files))
    places = min(PLACES, count)
    middles = [(2 * place + 1) * ends[-1] // (2 * places) for place in range(places)]
    inside: dict[int, list[int]] = {}
    for middle in middles:
        which = bisect_right(ends, middle)
        inside.setdefault(which, []).append(middle - ends[which] + files[which].rows)
    for which, rows in inside.items():
        with ParquetFile(folder / files[which].path) as file:
            for group, often in _groups(file, rows).items():
                yield _beginning(file, group, columns, often * (count // places))


def _groups(file: ParquetFile, rows: Sequence[int]) -> Counter[int]:
    """The row groups that hold these rows, and how many of them each holds."""
    ends = list(accumulate(file.metadata.row_group(each).num_rows for each in range(file.num_row_groups)))
    return Counter(bisect_right(ends, row) for row in rows)


def _beginning(file: ParquetFile, group: int, columns: list[str], count: int) -> pa.RecordBatch:
    """So many rows or fewer, evenly taken from the group's beginning."""
    batches = file.iter_batches(count * DEPTH, row_groups=[group], columns=columns)
    (rows,) = islice(batches, 1)
    return rows.take(pa.array(range(0, rows.num_rows, -(-rows.num_rows // count)), pa.int64()))
