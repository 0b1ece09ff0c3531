"""A topic's records as Arrow batches, read by a plain consumer: what the parser takes, without a JVM."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from headrace.kafka.reader import visible_records
from headrace.offsets import OffsetRange, Ranges
from headrace.parse.parser import INSTANT, RECORDS
from headrace.parse.provenance import header_lists

NO_TIMESTAMP = -1
"""What librdkafka hands out for a record without one; of records in the first format it says so (kind)."""


def read_records(config: dict[str, Any], topic: str, ranges: Ranges) -> Iterator[pa.RecordBatch]:
    """The visible records within `ranges`, batches of `RECORDS`; raises as `RecordReader.read`."""
    return map(record_batch, visible_records(config, topic, ranges))


def read_again(config: dict[str, Any], topic: str, places: pa.Table) -> Iterator[pa.RecordBatch]:
    """The records at `places` (`partition`, `offset`) alone; those that are gone are left out."""
    wanted = pl.DataFrame({name: pl.Series(places[name]) for name in ("partition", "offset")})
    spans = wanted.group_by("partition").agg(
        pl.col("offset").min().alias("first"), pl.col("offset").max().alias("last")
    )
    ranges = tuple(
        OffsetRange(partition=partition, start=first, until=last + 1)
        for partition, first, last in spans.sort("partition").iter_rows()
    )
    for batch in read_records(config, topic, ranges):
        read = pl.DataFrame({name: pl.Series(batch[name]) for name in ("partition", "offset")})
        at = read.with_row_index("at").join(wanted, ["partition", "offset"], "semi", maintain_order="left")
        yield batch.take(at["at"].to_arrow())


def record_batch(messages: Sequence[Message]) -> pa.RecordBatch:
    """The messages as a batch of `RECORDS`."""
    times = list(map(Message.timestamp, messages))
    columns = {
        "key": pa.array(list(map(Message.key, messages)), pa.binary()),
        "value": pa.array(list(map(Message.value, messages)), pa.binary()),
        "headers": header_lists(list(map(Message.headers, messages))),
        "partition": pa.array(list(map(Message.partition, messages)), pa.int32()),
        "offset": pa.array(list(map(Message.offset, messages)), pa.int64()),
        "timestamp": pa.array(
            [
                None if time == NO_TIMESTAMP or kind == TIMESTAMP_NOT_AVAILABLE else time * 1_000
                for kind, time in times
            ],
            pa.int64(),
        ).cast(INSTANT),
    }
    return pa.RecordBatch.from_pydict(columns, RECORDS)
