"""Commits of the gold tables: each says what it was computed from, and replaces whole days or all of them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import CommitProperties, Transaction, write_deltalake

from headrace.errors import ForeignCommit, WarehouseUnavailable
from headrace.tables.commits import Commit, GoldCommit, application_id, newest_change, open_table
from headrace.tables.compaction import SMALL_BYTES, compact
from headrace.tables.durability import durable
from headrace.tables.table_errors import failures, warehouse_errors
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa


def newest_gold(warehouse: Warehouse, table: str) -> Commit[GoldCommit] | None:
    """The newest commit of a gold table: what the table was computed from; None before the first.

    None also where somebody has changed its rows since, as by restoring an earlier version of it.
    """
    if not warehouse.exists(table):
        return None
    return newest_change(open_table(warehouse.table(table)), GoldCommit)


def commit_gold(
    warehouse: Warehouse, table: str, rows: "pa.Table", commit: GoldCommit, days: Sequence[date] | None
) -> None:
    """Put the rows in the place of those of `days`, or of the whole table, columns too, where that is None.

    A commit is made also when nothing changes: it is what says how far the table has come.

    Raises:
        ForeignCommit: another process wrote to the table at the same time.
        WarehouseUnavailable: it cannot be written just now.
    """
    path = warehouse.table(table)
    with warehouse_errors(path):
        with durable(path):
            try:
                _write(path, rows, _properties(warehouse, table, commit), days)
            except failures() as failed:  # the answer may be lost and the commit there
                if (found := newest_gold(warehouse, table)) is None or found.metadata != commit:
                    raise WarehouseUnavailable(f"{path}: the commit failed: {failed}") from failed
            own = newest_gold(warehouse, table)
            if own is None or own.metadata != commit:
                raise ForeignCommit(
                    f"{path}: another process wrote to it at the same time; run the task again"
                )
        compact(path)


def _write(path: Path, rows: "pa.Table", properties: CommitProperties, days: Sequence[date] | None) -> None:
    if days is None:
        write_deltalake(
            str(path),
            rows,
            mode="overwrite",
            schema_mode="overwrite",
            target_file_size=SMALL_BYTES,  # a day's change writes the files anew that hold the day
            commit_properties=properties,
        )
    elif days:
        listed = ", ".join(f"DATE '{day.isoformat()}'" for day in days)
        write_deltalake(
            str(path),
            rows,
            mode="overwrite",
            predicate=f"signal_date IN ({listed})",
            commit_properties=properties,
        )
    else:
        table = open_table(path)
        table.create_write_transaction([], "append", table.schema(), commit_properties=properties)


def _properties(warehouse: Warehouse, table: str, commit: GoldCommit) -> CommitProperties:
    version = open_table(warehouse.table(table)).version() + 1 if warehouse.exists(table) else 0
    return CommitProperties(
        app_transactions=[Transaction(f"{application_id(warehouse.stream)}:{table}", version)],
        custom_metadata={"userMetadata": commit.model_dump_json()},
    )
