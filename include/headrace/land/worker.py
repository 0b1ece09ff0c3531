"""Landing in this very process: the same parser and committer over a plain consumer, without a JVM."""

from headrace.land.landing import Landing
from headrace.land.records import read_records
from headrace.offsets import OffsetRange, Position, Ranges, advance, between, lag
from headrace.staging.staged import Staged
from headrace.staging.staging import Staging, stage


def land_in_worker(landing: Landing, stands: dict[int, int]) -> dict[int, int]:
    """Land from the position to the slice's end, batch by batch; an `Engine`."""
    size = landing.attempt.contract.landing.max_records_per_batch
    until = landing.run_slice.until
    stands = {partition: stands.get(partition, 0) for partition in until}
    while ranges := next_ranges(stands, until, size):

        def stage_rows(staging: Staging, ranges: Ranges = ranges) -> Staged:
            records = read_records(landing.kafka, landing.run_slice.topic, ranges)
            return stage(map(landing.parser.parse, records), staging)

        landing.land_batch(ranges, stage_rows)
        stands = advance(stands, ranges)
    return stands


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
