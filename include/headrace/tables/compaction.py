"""Tables that grow by a commit at a time, kept in few files, and rid of those that nobody needs."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.files import sync
from headrace.tables.active_files import file_sizes
from headrace.tables.commits import log_file, open_table
from headrace.tables.table_errors import failures

if TYPE_CHECKING:
    from deltalake import DeltaTable

log = logging.getLogger(__name__)

EVERY = 50
"""Commits after which a table's small files become few; else a read opens as many as there were batches."""

SMALL_BYTES = 8 << 20
"""Files below are brought together, up to it; larger ones stay. Where files of up to Delta's 64 MB took part,
each compaction took longer than the one before."""

MOST_SMALL = 4 * EVERY
"""Small files with which a table is still sound: landing brings them together at every fiftieth commit."""

CHECKPOINT_EVERY = {"delta.checkpointInterval": "20"}
"""What a table is made with. Who opens it reads the commits since its last checkpoint: with delta-rs' 100 a
commit of ten rows took from 11 to 101 ms, with 20 it stays at 20."""


def compact(path: Path) -> None:
    """Bring small files together at every fiftieth commit; remove those that nobody has needed for a week.

    These are also files that a killed process has staged and no commit lists. What cannot be done now is done
    fifty commits later: the rows are in the table already.
    """
    table = open_table(path)
    if table.version() % EVERY:
        return
    try:
        bring_together(table, path)
        # The week is Delta's own, for readers of older versions. Unless it is told to look at the whole
        # folder, delta-rs passes over files that no commit ever listed.
        table.vacuum(dry_run=False, full=True)
    except failures() as failed:
        log.warning("%s: could not be compacted, which is tried again later: %s", path, failed)


def bring_together(
    table: "DeltaTable", path: Path, size: int | None = None, order: tuple[str, ...] = ()
) -> None:
    """Small files, or those below a size, become one of up to it; `order`: all, sorted by these columns."""
    from deltalake import WriterProperties

    before, properties = _files(table), WriterProperties(compression="ZSTD")
    size = size or SMALL_BYTES
    if order:
        table.optimize.z_order(order, target_size=size, writer_properties=properties)
    else:
        table.optimize.compact(target_size=size, writer_properties=properties)
    made = [path / name for name in _files(table) - before]
    if made:
        sync(*made, log_file(path, table.version()), path / "_delta_log", path)


def _files(table: "DeltaTable") -> set[str]:
    import pyarrow as pa

    return set(pa.table(table.get_add_actions())["path"].to_pylist())


def small_files(table: "DeltaTable") -> int:
    """How many of the table's files are small."""
    return sum(size < SMALL_BYTES for size in file_sizes(table))
