"""The batches that a run's slice lies in."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from headrace.tables.batches import Batch, batches_in
from headrace.tables.commits import RESTORE, ClosingCommit, commit_of, entries, open_table
from headrace.tables.names import BATCHES
from headrace.tables.reading import read_rows
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from deltalake import DeltaTable


def batches_within(
    rows: Iterable[Batch], topic_id: str, start: dict[int, int], until: dict[int, int]
) -> Iterator[Batch]:
    """The batches and gaps of which at least one offset lies in [start, until)."""
    for row in rows:
        if row.topic_id == topic_id and any(
            each.start < until.get(each.partition, 0) and each.until > start.get(each.partition, 0)
            for each in row.ranges
        ):
            yield row


def batches_of(
    warehouse: Warehouse, topic_id: str, start: dict[int, int], until: dict[int, int]
) -> list[Batch]:
    """The same of the table, read without those before; the log says which had not come past `start`."""
    if not warehouse.exists(BATCHES):
        return []
    table = open_table(warehouse.table(BATCHES))
    rows = read_rows(table, f"batch > {_newest_before(table, topic_id, start)}")
    return list(batches_within(batches_in(rows), topic_id, start, until))


def _newest_before(table: "DeltaTable", topic_id: str, start: dict[int, int]) -> int:
    """The newest batch with which the stream had not come past `start`; -1 where the log does not say it."""
    for entry in entries(table):
        if entry.get("operation") == RESTORE:  # what stands before it may have been undone
            break
        closing = commit_of(entry, ClosingCommit)
        if closing is None or closing.metadata.topic_id != topic_id:
            continue
        if all(offset <= start.get(partition, 0) for partition, offset in closing.metadata.position.items()):
            return closing.metadata.batch
    return -1
