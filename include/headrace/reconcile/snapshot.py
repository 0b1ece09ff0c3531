"""A stream's tables as of one moment: which versions belong together, and which files those list.

Landing may go on meanwhile. What is counted ends with the newest batch that is closed: a batch's rows come
into `readings` and `quarantine` one after the other, and into `batches` last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from headrace.errors import WarehouseError
from headrace.reconcile.table_log import landed_batch
from headrace.tables.batches import newest_closing, open_batch
from headrace.tables.commits import ClosingCommit, batch_in, open_table
from headrace.tables.names import BATCHES, LANDED, READINGS
from headrace.tables.table_errors import warehouse_errors
from headrace.tables.warehouse import Warehouse

GONE = -1
"""Size of a file that is not on the disk."""


class FileState(NamedTuple):
    """A data file: size and time (ms) as the log has them, size and time (ns) as the disk has them."""

    size: int
    modified: int
    disk_size: int
    disk_modified: int


class TableState(NamedTuple):
    """A table at one version: its data files by name, a path in the table's folder."""

    version: int
    files: dict[str, FileState]


@dataclass(frozen=True)
class Snapshot:
    """The tables that are there, at versions that belong together, and the newest batch closed by then."""

    tables: dict[str, TableState]
    closing: ClosingCommit | None

    @property
    def newest(self) -> int:
        """The number of the newest closed batch, -1 before the first."""
        return self.closing.batch if self.closing else -1


def take_snapshot(warehouse: Warehouse) -> Snapshot:
    """The tables as they are now.

    Raises:
        WarehouseError: there is neither `readings` nor `quarantine`, or one has features that readers of its
            files alone would not see.
        TablesApart: `batches` lacks more than the one batch that may be open.
        WarehouseUnavailable: a table cannot be read just now.
    """
    if not any(map(warehouse.exists, LANDED)):
        raise WarehouseError(f"{warehouse.folder}: no table `{READINGS}`; clear and run `land` first")
    with warehouse_errors(warehouse.folder):
        closing = newest_closing(warehouse)  # before all else: what is closed by now is in the tables
        newest = closing.batch if closing else -1
        tables = {}
        for name in filter(warehouse.exists, (BATCHES, *LANDED)):
            table = open_table(warehouse.table(name))
            if name in LANDED and batch_in(table, warehouse.stream) > newest:
                open_batch(warehouse)  # raises where more than one is not closed
                table.load_as_version(_version_before(warehouse, name, table.version(), newest))
            tables[name] = state_of(warehouse.table(name), table)
    return Snapshot(tables, closing)


def _version_before(warehouse: Warehouse, name: str, version: int, newest: int) -> int:
    """The last version without any batch that is newer than the newest closed one."""
    found = version
    for each in range(version, 0, -1):
        batch = landed_batch(warehouse.table(name), warehouse.stream, each)
        if batch is not None and batch <= newest:
            break
        if batch is not None:
            found = each - 1
    return found


def state_of(path: Path, table: DeltaTable) -> TableState:
    """The table's files, each as the log and the disk have it.

    Raises:
        WarehouseError: the table has features of which its files alone say nothing, as deleted rows.
    """
    if table.protocol().min_reader_version > 1:
        raise WarehouseError(
            f"{path}: somebody has switched on features that Headrace does not use: {table.protocol()}; "
            "its files alone do not say what the table holds. Drop them, or restore the table"
        )
    return TableState(table.version(), dict(_files(path, table)))


def _files(path: Path, table: DeltaTable) -> Iterator[tuple[str, FileState]]:
    listed = pa.table(table.get_add_actions()).select(["path", "size_bytes", "modification_time"])
    names, sizes, times = (column.to_pylist() for column in listed.cast(_LISTED).columns)
    for name, size, modified in zip(map(unquote, names), sizes, times, strict=True):
        yield name, FileState(size, modified, *on_disk(path / name))


_LISTED = pa.schema([("path", pa.string()), ("size_bytes", pa.int64()), ("modification_time", pa.int64())])


def on_disk(file: Path) -> tuple[int, int]:
    """A file's size and time of modification (ns), as the disk has them now."""
    try:
        found = file.stat()
    except OSError:  # whoever reads it says what is wrong
        return GONE, GONE
    return found.st_size, found.st_mtime_ns
