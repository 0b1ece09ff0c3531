"""`headrace migrate`: a stream's tables brought from layout 1 to this version's.

Rebuilt beside, verified, exchanged; the note of the layout comes last. Killed anywhere, it is run again:
before the exchange it begins anew, and the old tables are as they were; from then on it goes on.
"""

from collections.abc import Iterator
from shutil import rmtree

import polars as pl

from headrace.crash_points import crash_point
from headrace.errors import WarehouseError
from headrace.files import sync
from headrace.migrate.exchange import aside, exchange, rebuilt
from headrace.migrate.gold import ask_for_recomputation
from headrace.migrate.layout_one import old_files, open_old, tables_of
from headrace.migrate.rebuilding import rebuild
from headrace.migrate.verification import verify
from headrace.tables.batches import open_batch
from headrace.tables.names import LANDED
from headrace.tables.table_errors import warehouse_errors
from headrace.tables.warehouse import LAYOUT, OLDER, Warehouse
from headrace.task_log import Report


def migrate(warehouse: Warehouse, report: Report, remove_old: bool = False) -> None:
    """Bring the stream's tables to this version's layout, as their one writer, and say what was done.

    Raises:
        WarehouseError: there are no tables, they are of a newer version, or they were changed by hand.
        TablesApart: they are not of one moment.
        PositionBroken: their logs do not say what the newest batch was.
        NotReconciled: the rebuilt tables do not hold what the old ones hold; those are as they were.
        StreamLocked: another process writes to them.
        WarehouseUnavailable: they cannot be read or written just now.
    """
    if warehouse.layout() is None:
        raise WarehouseError(f"{warehouse.folder}: holds no tables of Headrace; see HEADRACE_WAREHOUSE")
    with warehouse.locked(), warehouse_errors(warehouse.folder):
        found = warehouse.layout()
        if found == 1:
            try:
                _build(warehouse, report)
            except BaseException:
                rmtree(rebuilt(warehouse).folder, ignore_errors=True)  # the disk may be full
                raise
        if found in OLDER:
            exchange(warehouse)
            _conclude(warehouse, report)
        else:
            warehouse.prepare()  # refuses a newer layout
            report(f"stream {warehouse.stream}: the tables have layout {LAYOUT}: nothing to migrate")
        _old_tables(warehouse, report, remove_old)


def _build(warehouse: Warehouse, report: Report) -> None:
    """All that can fail: everything is written and counted before the first old table is moved."""
    new, names = rebuilt(warehouse), tables_of(warehouse)
    open_batch(warehouse)  # raises where `batches` does not fit the tables
    if aside(warehouse).exists():
        raise WarehouseError(f"{aside(warehouse)}: holds older tables already; move or remove it first")
    if new.folder.exists():
        rmtree(new.folder)  # of a migration that was killed before it had verified them
    new.folder.mkdir()
    sync(warehouse.folder)
    for name in names:
        files = old_files(open_old(warehouse, name), warehouse.table(name))
        report(f"{name}: the rows of {len(files):,} files are written beside them …")
        report(f"{name}: {rebuild(warehouse, new, name):,} rows are written and read back")
        crash_point("migrate.after_table")
    if names:
        for line in _in_words(verify(warehouse, new)):
            report(line)
    crash_point("migrate.after_verification")
    for name in ask_for_recomputation(warehouse):
        report(f"{name}: stays as it is until the next `analyse`, which computes it anew")
    crash_point("migrate.after_gold")


def _in_words(account: pl.DataFrame) -> Iterator[str]:
    """What both the old and the new tables hold."""
    for name in LANDED:
        own = account.filter(pl.col("table") == name)
        yield (
            f"{name}: verified: {own['rows'].sum():,} rows of {own['batch'].n_unique():,} batches and "
            f"{own['publication'].drop_nulls().n_unique():,} publications, each record where it was"
        )


def _conclude(warehouse: Warehouse, report: Report) -> None:
    """What a person should know of tables that are in their places."""
    report(f"stream {warehouse.stream}: the tables have layout {LAYOUT} now")
    unfinished = open_batch(warehouse)
    if unfinished:
        report(f"batch {unfinished.batch} was open and still is: the next `land` finishes it")
    report("next: run the stream as before; `land` goes on where it was, `analyse` computes all days once")


def _old_tables(warehouse: Warehouse, report: Report, remove: bool) -> None:
    kept = aside(warehouse)
    if not kept.exists():
        return
    if remove:
        rmtree(kept)
        report(f"{kept}: removed")
    else:
        report(f"{kept}: the old tables; to remove them: `headrace migrate {warehouse.stream} --remove-old`")
