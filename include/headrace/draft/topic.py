"""As many records of a topic as a draft looks at: the first and the newest of each partition."""

from typing import Any

from headrace.draft.look import Records
from headrace.errors import SourceError
from headrace.kafka.reader import visible_records
from headrace.kafka.topics import log_end, log_start
from headrace.offsets import OffsetRange

RECORDS = 50_000
"""Records that are looked at, of all partitions together."""


def topic_records(config: dict[str, Any], topic: str) -> Records:
    """The values of its records.

    Raises:
        SourceError: the topic holds no record.
        TopicMissing, BrokerUnreachable, SettingsError: it cannot be read.
    """
    starts, ends = log_start(config, topic), log_end(config, topic)
    most = RECORDS // max(1, len(ends)) // 2
    ranges = []
    for partition, end in ends.items():
        start = starts[partition]
        cuts = [(start, end)] if end - start <= 2 * most else [(start, start + most), (end - most, end)]
        ranges += [OffsetRange(partition=partition, start=a, until=b) for a, b in cuts if a < b]
    values = [
        record.value() or b"" for chunk in visible_records(config, topic, tuple(ranges)) for record in chunk
    ]
    if not values:
        raise SourceError(
            f"topic {topic}: holds no record; a contract is drafted from records that are there"
        )
    held = sum(ends[partition] - starts[partition] for partition in ends)
    if sum(map(len, ranges)) == held:
        return Records(values, f"all {len(values):,} records of {_partitions(len(ends))}", True)
    said = f"{len(values):,} records of about {held:,}, the first and newest of {_partitions(len(ends))}"
    return Records(values, said, False)


def _partitions(count: int) -> str:
    return "one partition" if count == 1 else f"each of {count:,} partitions"
