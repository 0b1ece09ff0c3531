"""A slice of the topic: what consumers see of it, held against the tables offset by offset."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from headrace.kafka.reader import visible_records
from headrace.kafka.topics import describe_topic, log_start
from headrace.offsets import OffsetRange, Ranges, subtract, text
from headrace.reconcile.account import END, Account, Marks
from headrace.reconcile.ledger import SliceAccount
from headrace.reconcile.number_set import Numbers, NumberSet
from headrace.reconcile.problems import named
from headrace.tables.batches import Batch
from headrace.tables.slice_batches import batches_within
from headrace.tables.slices import Slice

Visible = dict[int, NumberSet]
"""Partition -> the offsets that consumers see."""

Closed = Callable[[], Iterable[Batch]]
"""Reads the closed batches, of which there may be thousands; asked only where the log cannot tell."""

OFFSETS_AT_ONCE = 250_000

LITTLE_AHEAD = {"queued.max.messages.kbytes": 2_048, "fetch.queue.backoff.ms": 10}
"""What a consumer holds of records that nobody has asked for, which landing wants to be more: with 16 MB for
each of four partitions a million records took 550 MB. Else it would wait a second whenever it is ahead."""


def account_for_slice(
    run_slice: Slice, config: dict[str, Any], account: Account, lost: Sequence[OffsetRange], closed: Closed
) -> SliceAccount:
    """Compare what consumers see of the slice with the tables; `lost`: offsets that were accepted as that.

    Where the log has lost some of it since, the tables are held against the ranges of the `closed` batches.

    Raises:
        TopicMissing, BrokerUnreachable, SettingsError: the topic cannot be read.
    """
    visible = _visible(run_slice, config, lost) if run_slice.ranges else {}
    marks = {each.partition: _marks(account, run_slice, each) for each in run_slice.ranges}
    stored = sum(marks[each.partition].all.count(each.start, each.until) for each in run_slice.ranges)
    quarantined = sum(
        marks[each.partition].quarantined.count(each.start, each.until) for each in run_slice.ranges
    )
    return SliceAccount(
        ranges=run_slice.ranges,
        visible=None if visible is None else sum(map(len, visible.values())),
        landed=stored - quarantined,
        quarantined=quarantined,
        problems=(
            *_problems(run_slice, visible, account),
            *(_miscounted(run_slice, account, closed()) if visible is None else ()),
        ),
    )


def _miscounted(run_slice: Slice, account: Account, closed: Iterable[Batch]) -> Iterator[str]:
    """What the batches of the slice have not brought into the tables; their ranges are all that is left."""
    for row in batches_within(list(closed), run_slice.topic_id, run_slice.start, run_slice.until):
        held = sum(_marks(account, run_slice, each).all.count(each.start, each.until) for each in row.ranges)
        if row.kind == "batch" and held != row.records:
            yield (
                f"topic {run_slice.topic}, {text(row.ranges)}: the tables hold {held} records of these "
                f"offsets, batch {row.batch} had {row.records}"
            )


def _marks(account: Account, run_slice: Slice, each: OffsetRange) -> Marks:
    return account.places.get((run_slice.topic_id, each.partition), Marks())


def _visible(run_slice: Slice, config: dict[str, Any], lost: Sequence[OffsetRange]) -> Visible | None:
    """What consumers see of the slice; None if the log has lost some of it that nobody accepted as lost."""
    if describe_topic(config, run_slice.topic).topic_id != run_slice.topic_id:
        return None  # the topic was made anew: its offsets are other records
    start = log_start(config, run_slice.topic)
    ranges = subtract(run_slice.ranges, lost)
    if any(start.get(each.partition, 0) > each.start for each in ranges):
        return None
    return read_offsets(config, run_slice.topic, ranges)


def read_offsets(config: dict[str, Any], topic: str, ranges: Ranges) -> Visible:
    """The offsets of all visible records within the ranges; a bit each, however many there are."""
    seen: Visible = {each.partition: NumberSet() for each in ranges}
    waiting: dict[int, list[Numbers]] = {each.partition: [] for each in ranges}
    for messages in visible_records({**LITTLE_AHEAD, **config}, topic, ranges):
        partition = messages[0].partition()
        assert partition is not None  # noqa: S101  # a record has one
        waiting[partition].append(np.fromiter((each.offset() for each in messages), np.int64, len(messages)))
        if sum(map(len, waiting[partition])) >= OFFSETS_AT_ONCE:
            seen[partition].add(np.concatenate(waiting[partition]))
            waiting[partition] = []
    for partition, left in waiting.items():
        if left:
            seen[partition].add(np.concatenate(left))
    return seen


def _problems(run_slice: Slice, visible: Visible | None, account: Account) -> Iterator[str]:
    def at(partition: int, offset: int) -> str:
        return f"topic {run_slice.topic}, partition {partition}, offset {offset}"

    if visible is not None:
        lost = _differences(run_slice, visible, account, lost=True)
        yield from named(lost, lambda partition, offset: f"{at(partition, offset)}: is in no table")
    yield from _doubled(run_slice, account)
    if visible is not None:
        unseen = _differences(run_slice, visible, account, lost=False)
        yield from named(
            unseen,
            lambda partition, offset: f"{at(partition, offset)}: is in the tables, but no consumer sees it",
        )


def _differences(
    run_slice: Slice, visible: Visible, account: Account, *, lost: bool
) -> Iterator[tuple[int, Numbers]]:
    """By partition the offsets that consumers see and the tables lack, or the other way round."""
    for each in run_slice.ranges:
        seen, stored = (
            visible.get(each.partition, NumberSet()),
            _marks(account, run_slice, each).all.met,
        )
        first, second = (seen, stored) if lost else (stored, seen)
        for numbers in first.without(second, each.start, each.until):
            yield each.partition, numbers


def _doubled(run_slice: Slice, account: Account) -> list[str]:
    """Whatever stands twice, in whatever slice: one of the two may have been counted long ago."""

    def say(place: tuple[str, int], offset: int) -> str:
        topic_id, partition = place
        own = topic_id == run_slice.topic_id
        topic = run_slice.topic if own else f"with the id {topic_id}"
        return f"topic {topic}, partition {partition}, offset {offset}: is in the tables more than once"

    return named(_again(account), say)


def _again(account: Account) -> Iterable[tuple[tuple[str, int], Numbers]]:
    for place, marks in sorted(account.places.items()):
        for numbers in marks.all.again.within(0, END):
            yield place, numbers
