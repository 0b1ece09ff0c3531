"""Tables of layout 1, by Delta-Spark: `readings` is clustered, which delta-rs reads and refuses to write.

Their Parquet holds instants as INT96. Readers take those for nanoseconds unless they are told better, and
lose the years before 1678 and after 2261: so the rows are written anew, no new log lists the old files.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from headrace.errors import PositionBroken, WarehouseError
from headrace.tables.batches import read_batches
from headrace.tables.columns import schema_of
from headrace.tables.commits import BatchCommit, batch_commit, newest_batch, open_table
from headrace.tables.names import LANDED
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from deltalake import DeltaTable

ROWS_AT_ONCE = 50_000


def tables_of(warehouse: Warehouse) -> list[str]:
    """Those of landing's tables that are there.

    Raises:
        WarehouseError: one has files, but no commit: something has removed its log.
    """
    there = [name for name in LANDED if warehouse.exists(name)]
    for name in LANDED:
        if name not in there and any(warehouse.table(name).rglob("*.parquet")):
            raise WarehouseError(f"{warehouse.table(name)}: has files, but no log; restore its _delta_log")
    return there


def open_old(warehouse: Warehouse, name: str) -> "DeltaTable":
    """The table, which is as landing left it.

    Raises:
        WarehouseError: somebody has given it columns or features that a migration would lose.
    """
    table = open_table(warehouse.table(name))
    found, known = pa.schema(table.schema().to_arrow()), schema_of(name)
    if not found.equals(known):
        raise WarehouseError(
            f"{warehouse.table(name)}: its columns are not those that landing makes, and a migration "
            f"would lose what was changed: take the change back first. It has {found.names}: {found.types}"
        )
    if table.protocol().min_reader_version > 1:
        raise WarehouseError(
            f"{warehouse.table(name)}: somebody has switched on features that landing does not use and "
            f"that a migration would not see: drop them first. It has {table.protocol()}"
        )
    return table


def old_files(table: "DeltaTable", path: Path) -> list[Path]:
    """The files that the table's newest version lists, in the order in which they were written."""
    listed = pa.table(table.get_add_actions()).select(["modification_time", "path"]).to_pylist()
    return [path / each["path"] for each in sorted(listed, key=lambda each: tuple(each.values()))]


def old_rows(name: str, files: list[Path]) -> Iterator[pa.Table]:
    """All their rows, with the columns that landing writes today.

    Raises:
        WarehouseError: a file is damaged.
    """
    for file in files:
        try:
            parquet = pq.ParquetFile(file, coerce_int96_timestamp_unit="us")
            for batch in parquet.iter_batches(ROWS_AT_ONCE):
                yield pa.Table.from_batches([batch]).cast(schema_of(name))
        except pa.ArrowInvalid as damaged:
            raise WarehouseError(f"{file}: is damaged, restore it: {damaged}") from damaged


def last_commit(warehouse: Warehouse, name: str) -> BatchCommit | None:
    """What the commit of the table's newest batch says; None before the first.

    A log forgets its commits after a month, and a quarantine may be idle for as long: `batches` knows too.

    Raises:
        PositionBroken: neither says it.
    """
    newest = newest_batch(warehouse.table(name), warehouse.stream)
    if newest < 0:
        return None
    try:
        return batch_commit(warehouse.table(name), newest).metadata
    except PositionBroken:
        for row in read_batches(warehouse):
            if row.batch == newest:
                return BatchCommit.model_validate(
                    row.model_dump(include=set(BatchCommit.model_fields) - {"kind"})
                )
        raise
