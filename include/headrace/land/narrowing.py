"""Where a process ended in the middle of a batch: that batch in small pieces, each noted, until one is left.

A record can end each process that meets it: too large for its memory, or met by a defect. The pieces are
landed in this process, whatever engine the rest is for: what was too much for a JVM may be little here.
"""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from headrace.errors import RecordsUnlandable
from headrace.kafka.reader import RecordReader
from headrace.kafka.topics import log_end
from headrace.land.skipping import named
from headrace.land.unfinished import Unfinished, count_anew
from headrace.land.worker import stage_here
from headrace.offsets import OffsetRange, Position, Ranges, advance, clip, subtract, text, within
from headrace.task_log import say

if TYPE_CHECKING:
    from headrace.land.landing import Landing

PIECES = 64
"""Pieces of a batch at most: of 250,000 records the fourth process that ends has a single one, and a task has
four tries. Most processes that end were only killed: with 500 pieces the next one made 500 commits, in 150 s
where the batch takes two."""


def land_narrowly(landing: "Landing", before: Unfinished, stands: Position) -> dict[int, int]:
    """Land what an earlier process was landing, piece by piece; the position after it.

    Raises:
        RecordsUnlandable: it was a single record, and not the first to end a process.
    """
    _require_landable(landing, before)
    size = max(1, before.offsets // PIECES)
    topic, position = landing.run_slice.topic, dict(stands)
    say(
        f"an earlier process was landing {text(before.ranges)} when it ended, {before.cause}; these are "
        f"landed {size} at a time"
    )
    visible = clip(log_end(landing.kafka, topic), landing.run_slice.until)
    with closing(RecordReader(landing.kafka, topic)) as reader:
        for piece in pieces(within(before.ranges, visible), size):
            landing.land_batch((piece,), partial(stage_here, landing, reader, (piece,)))
            position = advance(position, (piece,))
    return position


def pieces(ranges: Ranges, size: int) -> Iterator[OffsetRange]:
    """The ranges cut up, at most `size` offsets of one partition each."""
    for each in ranges:
        for start in range(each.start, each.until, size):
            yield OffsetRange(partition=each.partition, start=start, until=min(start + size, each.until))


def _require_landable(landing: "Landing", before: Unfinished) -> None:
    if before.offsets > 1 or before.tries == 1 or not subtract(before.ranges, landing.skip):
        return
    (record,) = before.ranges
    # Each second try is a try all the same: memory may have been added since, or a defect mended.
    count_anew(landing.attempt.warehouse, before)
    raise RecordsUnlandable(
        f"stream {landing.attempt.contract.stream}: topic {landing.run_slice.topic}, partition "
        f"{record.partition}, offset {record.start}: {before.tries} processes have ended that were landing "
        f"it; of the last: {before.cause}. All before it is landed. Give the process more memory, or correct "
        f"what fails, and clear the task; to go on without the record, trigger a run with the parameter "
        f"skip_offsets: {named(before.ranges)}, which notes it in `batches` as a gap."
    )
