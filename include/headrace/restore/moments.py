"""The moments that a table can be put back to: for each batch the newest version that ends with it."""

from pathlib import Path

from headrace.reconcile.table_log import Unsealed, read_change
from headrace.tables.commits import (
    BatchCommit,
    ClosingCommit,
    MigrationCommit,
    RestoreCommit,
    batch_in,
    commit_of,
    entries,
    open_table,
)
from headrace.tables.table_errors import failures

NOTHING = -1
"""The batch of a table before its first."""


def moments_of(path: Path, stream: str) -> dict[int, int]:
    """Batch -> the newest version at which the table ended with it, as landing had made it.

    Versions from a change by somebody else on are none, restorations by hand among them: they lead back to
    before it. Nor are those that an earlier `headrace restore` has undone.
    """
    history = list(reversed(list(entries(open_table(path)))))
    batch, sound, found = _first(path, stream, history[0]["version"]), True, dict[int, int]()
    for entry in history:
        restored, version = commit_of(entry, RestoreCommit), entry["version"]
        landing = commit_of(entry, BatchCommit)
        closing = commit_of(entry, ClosingCommit)
        if restored is not None:
            batch, sound = restored.metadata.batch, True
            found = {each: at for each, at in found.items() if each <= batch}
        elif landing is not None:
            batch = landing.metadata.batch
        elif closing is not None:
            batch = closing.metadata.batch
        elif commit_of(entry, MigrationCommit):
            batch, found = None, {}
        elif version > 0 and _changes_rows(path, stream, version):
            sound = False
        if sound and batch is not None:
            found[batch] = version
    return found


def _first(path: Path, stream: str, version: int) -> int | None:
    """The batch at the oldest version that the log still has; None where that can no longer be opened."""
    if version == 0:
        return NOTHING
    try:
        table = open_table(path)
        table.load_as_version(version)
        return batch_in(table, stream)
    except failures():
        return None


def _changes_rows(path: Path, stream: str, version: int) -> bool:
    try:
        return read_change(path, stream, version).changes_rows
    except Unsealed:
        return True
