"""One Parquet file of a table: written under a name of its own, described for the commit that lists it."""

from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from headrace.errors import WarehouseUnavailable
from headrace.files import sync
from headrace.staging.file_statistics import statistics
from headrace.staging.staged import StagedFile

ROWS_A_GROUP = 25_000
"""Rows that a reader can pass over inside a file: a look-up of few identities reads a tenth of it."""

DICTIONARIES = [
    "signal_date",
    "create_date",
    "create_ts",
    "signals.key_value.key",
    "others.key_value.key",
    "entity",
    "reason",
    "message",
    "headers.list.element.key",
    "provenance.topic_id",
    "provenance.partition",
    "provenance.publication",
    "provenance.batch",
]
"""Columns that repeat their values; to look for repetition in the others takes time and gives no space."""


def write_rows(folder: Path, batch: int, rows: pa.Table) -> StagedFile:
    """Write the rows, and have them on the disk; invisible until a commit lists the file.

    The name says which batch it was for. It begins with a letter: vacuum passes over `_` and `.`.

    Raises:
        WarehouseUnavailable: it cannot be written just now.
    """
    file = folder / f"batch-{batch}-{uuid4().hex}.parquet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            rows,
            file,
            compression="zstd",
            row_group_size=ROWS_A_GROUP,
            use_dictionary=DICTIONARIES,
            store_schema=False,  # Arrow's own copy of it; the table's log has the one that counts
        )
        sync(file)  # 4 ms for 6 MB, of some 500 ms that its rows took
    except BaseException as failed:
        with suppress(OSError):  # such as a file in the folder's place, which is what failed
            file.unlink(missing_ok=True)
        if isinstance(failed, OSError):
            raise WarehouseUnavailable(f"{file}: could not be written: {failed}") from failed
        raise
    return StagedFile(
        path=file.name, size=file.stat().st_size, rows=rows.num_rows, statistics=statistics(rows)
    )


def read_staged(folder: Path, schema: pa.Schema, file: StagedFile) -> pa.Table:
    """The rows of a file that this batch has staged in `folder`, with the table's columns.

    Raises:
        WarehouseUnavailable: it cannot be read.
    """
    path = folder / file.path
    try:
        return pq.read_table(path, partitioning=None).cast(schema)
    except (OSError, pa.ArrowInvalid) as failed:
        raise WarehouseUnavailable(
            f"{path}: staged a moment ago, and cannot be read: {failed}; the next try stages the batch anew"
        ) from failed
