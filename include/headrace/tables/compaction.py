"""Small tables that grow by one row per commit, kept in few files; the large ones are Spark's to optimise."""

import logging
from pathlib import Path

from headrace.tables.commits import open_table

log = logging.getLogger(__name__)

EVERY = 100
"""Commits after which a table is one file again; delta-rs writes a checkpoint of its log as often."""


def compact(path: Path) -> None:
    """Bring the table's files together at every hundredth commit, and remove those that are a week old.

    What cannot be done now is done a hundred commits later: the rows are in the table already.
    """
    from deltalake.exceptions import DeltaError

    table = open_table(path)
    if table.version() % EVERY:
        return
    try:
        table.optimize.compact()
        table.vacuum(dry_run=False)  # with Delta's own retention of a week, for readers of older versions
    except (OSError, DeltaError) as failed:
        log.warning("%s: could not be compacted, which is tried again later: %s", path, failed)
