"""A stream's tables, brought to few files and a short log, beside whoever writes to them.

Nothing here needs the stream's lock but what `analyse` would conflict with: landing only adds files, so a
commit that rearranges older ones is in nobody's way, and one that loses the race is tried again another day.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.crash_points import crash_point
from headrace.errors import StreamLocked
from headrace.maintain.table_condition import TableCondition, condition_of
from headrace.tables.commits import CHANGES_NO_ROW, entries, open_table
from headrace.tables.compaction import bring_together
from headrace.tables.names import BATCHES, GOLD, LANDED, LEDGER, PUBLICATIONS, READINGS
from headrace.tables.table_errors import failures, warehouse_errors
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from deltalake import DeltaTable

EVERY_TABLE = (*LANDED, *GOLD, BATCHES, PUBLICATIONS, LEDGER)

UNTOLD = (PUBLICATIONS, LEDGER)
"""Tables whose rows alone say how far they are. Others than the stream's one writer write to them, so their
properties are left alone: their logs keep 30 days."""

FULL_BYTES = 64 << 20
"""Files below are brought together, up to it: a day rewrites one such file at most besides what is new."""

LOG_RETENTION, CLEANUP = "delta.logRetentionDuration", "delta.enableExpiredLogCleanup"

DELTAS_OWN = {LOG_RETENTION: "interval 30 days", CLEANUP: "true"}
"""What a table without these properties does: only other wishes take a commit."""


@dataclass(frozen=True)
class Maintained:
    """What was done to a table; `put_off`: what could not be done now, in words."""

    table: str
    before: TableCondition
    after: TableCondition
    put_off: tuple[str, ...] = ()


def maintain_tables(warehouse: Warehouse, log_days: int, *, cluster: bool = False) -> list[Maintained]:
    """Maintain every table of the stream that there is.

    `log_days`: how long the log keeps commits. `cluster`: `readings` is written anew in the order of its
    times, all of it, which a run does only when it is told to.

    Raises:
        WarehouseUnavailable: a table cannot be read just now.
    """
    return [
        _maintain(warehouse, name, log_days, cluster=cluster and name == READINGS)
        for name in EVERY_TABLE
        if warehouse.exists(name)
    ]


def _maintain(warehouse: Warehouse, name: str, log_days: int, *, cluster: bool) -> Maintained:
    path = warehouse.table(name)
    with warehouse_errors(path):
        before = condition_of(path)
    steps: dict[str, Callable[[], None]] = {
        "files together": partial(_files, warehouse, name, cluster),
        "unneeded files": partial(_unneeded, path),
        "the log": partial(_shorten_log, warehouse, name, log_days),
    }
    put_off = []
    for what, step in steps.items():
        try:
            step()
        except (StreamLocked, *failures()) as failed:  # type: ignore[misc]  # a tuple of them is one
            put_off.append(f"{name}: {what}: left for the next time: {failed}")
        crash_point(f"maintain.{name}")
    with warehouse_errors(path):
        return Maintained(name, before, condition_of(path), tuple(put_off))


def _files(warehouse: Warehouse, name: str, cluster: bool) -> None:
    """Bring small files together; gold and what is written whole under the lock of their writers."""
    path = warehouse.table(name)
    if name == PUBLICATIONS:  # a row a source, written whole: it never has a second file
        return
    if name in GOLD:  # analyse replaces files, and would fail where another commit has removed them
        with warehouse.writing():
            bring_together(open_table(path), path, FULL_BYTES)
        return
    bring_together(open_table(path), path, FULL_BYTES, order=("signal_ts",) if cluster else ())


def _unneeded(path: Path) -> None:
    """Remove files that no version of the last week lists; a table without such gets no commit."""
    table = open_table(path)
    if table.vacuum(dry_run=True, full=True):
        table.vacuum(dry_run=False, full=True)


def _shorten_log(warehouse: Warehouse, name: str, days: int) -> None:
    """Remove older commits that a checkpoint has; never the one that says how far the table is."""
    path = warehouse.table(name)
    table = open_table(path)
    wanted = {LOG_RETENTION: f"interval {days} days", CLEANUP: "true"}
    if name not in UNTOLD and not wanted.items() <= (DELTAS_OWN | table.metadata().configuration).items():
        with warehouse.writing():  # else a commit that was begun before would be refused
            table.alter.set_table_properties(wanted, raise_if_not_exists=False)
        table = open_table(path)
    if _newest_told(table, name) > time.time() - timedelta(days=days).total_seconds():
        table.create_checkpoint()
        table.cleanup_metadata()


def _newest_told(table: "DeltaTable", name: str) -> float:
    """When the newest commit was made that says how far the table is; the log of a table at rest is kept."""
    of_rows = (each for each in entries(table) if each.get("operation") not in CHANGES_NO_ROW)
    told = (each["timestamp"] / 1000 for each in of_rows if name in UNTOLD or each.get("userMetadata"))
    return next(told, float("-inf"))
