"""Landing in this very process: the same parser and committer over a plain consumer, without a JVM."""

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from headrace.kafka.reader import RecordReader
from headrace.kafka.topics import log_end
from headrace.land.records import record_batch
from headrace.offsets import OffsetRange, Position, Ranges, advance, between, clip, lag
from headrace.staging.staged import Staged
from headrace.staging.staging import Staging, stage

if TYPE_CHECKING:
    from headrace.land.landing import Landing


def land_in_worker(landing: "Landing", stands: dict[int, int]) -> dict[int, int]:
    """Land from the position to the slice's end as far as consumers see it, batch by batch; an `Engine`."""
    topic, until = landing.run_slice.topic, landing.run_slice.until
    visible = clip(log_end(landing.kafka, topic), until)
    stands = {partition: stands.get(partition, 0) for partition in until}
    with closing(RecordReader(landing.kafka, topic)) as reader:
        while ranges := next_ranges(stands, visible, landing.batch_size):
            landing.land_batch(ranges, partial(stage_here, landing, reader, ranges))
            stands = advance(stands, ranges)
    return stands


def stage_here(landing: "Landing", reader: RecordReader, ranges: Ranges, staging: Staging) -> Staged:
    """Read, parse and stage the records of a batch in this process."""
    return stage(landing.parser.parse_all(map(record_batch, reader.read(ranges))), staging)


def next_ranges(stands: Position, until: Position, size: int) -> Ranges:
    """At most `size` offsets between the positions, each partition's part as its lag is of the whole.

    As Spark divides a micro-batch: partitions come to the end together, and none waits for the others.
    """
    left = between(stands, until)
    whole = lag(stands, until)
    if whole <= size:
        return left
    parts = (max(1, len(each) * size // whole) for each in left)
    return tuple(
        OffsetRange(partition=each.partition, start=each.start, until=each.start + part)
        for each, part in zip(left, parts, strict=True)
    )
