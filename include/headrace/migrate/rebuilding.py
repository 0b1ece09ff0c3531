"""A table of layout 1 written anew beside it, by the means of today's landing: staged files, one commit."""

from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headrace.crash_points import crash_point
from headrace.errors import NotReconciled
from headrace.files import sync
from headrace.migrate.layout_one import last_commit, old_files, old_rows, open_old
from headrace.staging.committer import add_files, commit_batch
from headrace.staging.row_files import write_rows
from headrace.staging.staged import StagedFile
from headrace.staging.staging import Pile, by_day
from headrace.tables.commits import MigrationCommit, log_file, open_table
from headrace.tables.creation import create_table
from headrace.tables.names import READINGS
from headrace.tables.warehouse import Warehouse


def rebuild(old: Warehouse, new: Warehouse, name: str) -> int:
    """Write the table's rows into the other warehouse; returns how many.

    The newest batch has a commit of its own there, with the number and the metadata that it had: this is what
    the next landing asks for, also when it has to finish that batch.
    """
    table, path = open_old(old, name), new.table(name)
    newest = last_commit(old, name)
    create_table(new, name, by_instant=False)  # its identities are what they were
    earlier, last = (Pile(partial(_write, path, name)) for _ in range(2))
    for rows in old_rows(name, old_files(table, old.table(name))):
        of_newest = pc.equal(_batches(rows), newest.batch if newest else None).fill_null(False)
        earlier.add(rows.filter(pc.invert(of_newest)))
        last.add(rows.filter(of_newest))
    earlier.write()
    last.write()
    sync(path)
    crash_point("migrate.after_files")
    origin = MigrationCommit(layout=1, table_id=table.metadata().id, table_version=table.version())
    _commit(path, origin, earlier.files)
    crash_point("migrate.after_earlier")
    if newest:
        commit_batch(path, old.stream, newest, last.files)
    return sum(file.rows for file in (*earlier.files, *last.files))


def _write(path: Path, name: str, rows: pa.Table) -> StagedFile:
    """One file of the table, named for the newest batch in it, and every value read back."""
    ordered = by_day(rows) if name == READINGS else rows
    written = write_rows(path, pc.max(_batches(rows)).as_py() or 0, ordered)
    if not pq.read_table(path / written.path, partitioning=None).cast(ordered.schema).equals(ordered):
        raise NotReconciled(f"{path / written.path}: holds other rows than were written; is the disk sound?")
    return written


def _batches(rows: pa.Table) -> pa.ChunkedArray:
    return pc.struct_field(rows["provenance"], "batch")


def _commit(path: Path, origin: MigrationCommit, files: list[StagedFile]) -> None:
    table = open_table(path)
    add_files(table, origin, files)
    sync(log_file(path, table.version() + 1), path / "_delta_log")
