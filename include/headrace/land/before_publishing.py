"""Before publishing: nothing is written behind a log that was cut off, or nobody could tell it any more.

With the new records the log's end passes the landed position, and the offsets below it would never be landed.
"""

from typing import Any

from headrace.contract.model import Contract
from headrace.kafka.topics import describe_topic, log_end
from headrace.offsets import Position, reached
from headrace.tables.attempt import Attempt
from headrace.tables.batches import newest_closing
from headrace.tables.commits import BatchCommit, ClosingCommit, commits, open_table
from headrace.tables.names import READINGS
from headrace.tables.slices import Slice, find_slice, new_slice
from headrace.tables.warehouse import Warehouse


def cut_off(contract: Contract, warehouse: Warehouse, kafka: dict[str, Any], run_id: str) -> Slice | None:
    """The slice of a run whose topic ends before what was landed of it; None where it does not."""
    newest = newest_closing(warehouse)
    if newest is None:
        return None
    topic = contract.topic.name
    if reached(log_end(kafka, topic, committed=False), _begun(warehouse, newest)):
        return None
    topic_id = describe_topic(kafka, topic).topic_id
    if topic_id != newest.topic_id:
        return None  # another topic, which publishing itself judges
    return find_slice(warehouse, run_id) or new_slice(
        run_id, topic, topic_id, newest.position, log_end(kafka, topic)
    )


def go_back(
    contract: Contract, warehouse: Warehouse, kafka: dict[str, Any], run_slice: Slice, accept_loss: bool
) -> None:
    """Have the position go back to where the log was cut off, if that is accepted.

    Raises:
        LogCutOff, RecordsExpired: it is not.
        StreamLocked: another process writes to the stream's tables.
    """
    # not at the top: nearly no run comes here, and what lands is large
    from headrace.land.landing import Landing, settle

    with warehouse.writing():
        settle(Landing(Attempt(contract, warehouse, run_slice.run_id), run_slice, kafka, accept_loss))


def _begun(warehouse: Warehouse, newest: ClosingCommit) -> Position:
    """How far landing has begun to come: with the batch that was left open, if there is one."""
    if not warehouse.exists(READINGS):
        return newest.position
    begun = next(commits(open_table(warehouse.table(READINGS)), BatchCommit), None)
    if begun is None or begun.metadata.batch <= newest.batch:
        return newest.position
    return newest.position | {each.partition: each.until for each in begun.metadata.ranges}
