"""Before landing: what the broker still has after the position, and what a person accepted to lose."""

from headrace.errors import RecordsExpired, TopicRecreated
from headrace.land.noting import note
from headrace.offsets import OffsetRange, Position, Ranges, between, position_text, text
from headrace.tables.attempt import Attempt
from headrace.tables.batches import landed_position, newest_closing, read_batches
from headrace.tables.commits import BatchCommit
from headrace.tables.slices import Slice, find_slice
from headrace.tables.warehouse import Warehouse
from headrace.task_log import say

WAY_OUT = (
    "They can no longer be landed. Trigger a run with the parameter accept_loss to note the gap in `batches` "
    "and go on from where the log starts."
)


def settle_topic(attempt: Attempt, run_slice: Slice, accept_loss: bool) -> None:
    """Refuse a topic that was made anew since the last batch, unless a person accepts the loss.

    Another topic, because the contract names another, is no loss: landing begins at its start.

    Raises:
        TopicRecreated: what was not landed of the old topic is gone.
    """
    newest = newest_closing(attempt.warehouse)
    if newest is None or newest.topic_id == run_slice.topic_id:
        return
    older = _topic_of(attempt.warehouse, newest.batch)
    if older and older != run_slice.topic:
        left = position_text(newest.position)
        say(
            f"batch {newest.batch} came from topic {older}, the contract names {run_slice.topic}: landing "
            f"begins at its start; what {older} holds from {left} on is not landed"
        )
    elif not accept_loss:
        raise TopicRecreated(
            f"stream {attempt.contract.stream}: topic {run_slice.topic} was deleted and made again: its id "
            f"is {run_slice.topic_id}, batches came from {newest.topic_id}. What was not landed of the old "
            "one is gone. Trigger a run with the parameter accept_loss to go on with the new one from its "
            "beginning."
        )


def _topic_of(warehouse: Warehouse, batch: int) -> str | None:
    """The name of the topic that a batch came from, as the slice of its run has it."""
    run_id = next((row.run_id for row in read_batches(warehouse) if row.batch == batch), None)
    run_slice = None if run_id is None else find_slice(warehouse, run_id)
    return run_slice.topic if run_slice else None


def settle_retention(attempt: Attempt, run_slice: Slice, starts: Position, accept_loss: bool) -> None:
    """Note what retention has eaten before the slice as a gap, if that is accepted.

    An external topic has a past that nobody promised us: where its log starts is where the stream begins.

    Raises:
        RecordsExpired: records between the position and the log's start are gone.
    """
    stands = landed_position(attempt.warehouse, run_slice.topic_id)
    begins = not stands and attempt.contract.own_source is None
    lost = between(stands, {partition: starts.get(partition, 0) for partition in run_slice.until})
    if not lost:
        return
    if not (accept_loss or begins):
        raise RecordsExpired(
            f"stream {attempt.contract.stream}: retention of topic {run_slice.topic} has removed records "
            f"that were never landed: {text(lost)}. {WAY_OUT}"
        )
    gap = note(attempt, "gap", run_slice.topic_id, lost, "removed by retention")
    say(f"batch {gap.batch}: gap {text(lost)}, {gap.records} offsets")


def readable(
    commit: BatchCommit, run_slice: Slice, starts: Position, ends: Position, accept_loss: bool
) -> Ranges:
    """What the broker still has of an open batch: what lies between the log's start and its end.

    Raises:
        RecordsExpired: not all of it, and the loss is not accepted: what was refused of it is unknown.
    """
    same_topic = commit.topic_id == run_slice.topic_id
    left = tuple(
        OffsetRange(partition=each.partition, start=start, until=until)
        for each in commit.ranges
        if same_topic
        and (start := max(each.start, starts.get(each.partition, 0)))
        < (until := min(each.until, ends.get(each.partition, each.until)))
    )
    if left != commit.ranges and not accept_loss:
        raise RecordsExpired(
            f"topic {run_slice.topic}: batch {commit.batch} was left open, and the broker no longer has all "
            f"of {text(commit.ranges)}. {WAY_OUT}"
        )
    return left
