"""Before landing: a log that the broker has cut off before the position, and how far landing goes back then.

An unclean leader election or a disk restored from a backup gives offsets out again that were landed before.
It shows while the log is shorter than the position; once it has grown past it nobody can tell by offsets.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from headrace.errors import LogCutOff
from headrace.kafka.topics import log_end, log_start
from headrace.land.noting import note
from headrace.land.records import read_records
from headrace.offsets import OffsetRange, Position, Ranges, between, text
from headrace.tables.attempt import Attempt
from headrace.tables.batches import landed_position
from headrace.tables.names import LANDED
from headrace.tables.queries import scan
from headrace.tables.slices import Slice, extend_slice
from headrace.tables.warehouse import Warehouse
from headrace.task_log import say

STEP = 10_000
"""Offsets that are compared at a time, from the log's end backwards."""


def settle_cut_off(attempt: Attempt, run_slice: Slice, kafka: dict[str, Any], accept_loss: bool) -> Slice:
    """Go back to where the log was cut off, if that is accepted.

    Returns:
        The slice of the run, which begins there then.

    Raises:
        LogCutOff: the log ends before the position, and the loss is not accepted.
    """
    stands = landed_position(attempt.warehouse, run_slice.topic_id)
    ends = log_end(kafka, run_slice.topic, committed=False)
    behind = tuple(each for each in between(ends, stands) if each.partition in ends)
    if not behind:
        return run_slice
    if not accept_loss:
        again = " and republish" if attempt.contract.own_source else ""
        both = (f"partition {e.partition} ends at {e.start}, landed up to {e.until}" for e in behind)
        raise LogCutOff(
            f"stream {attempt.contract.stream}: topic {run_slice.topic} ends before what was landed of it: "
            f"{'; '.join(both)}. Was a disk restored, or a leader elected that was not in sync? What is "
            f"landed stays; offsets that come again are other records. Trigger a run with accept_loss{again} "
            "to go back to where the log was cut off and land those; `batches` notes a rewind."
        )
    starts = log_start(kafka, run_slice.topic)
    lost = tuple(
        each.model_copy(update={"start": _cut(attempt.warehouse, run_slice, kafka, each, starts)})
        for each in behind
    )
    # first, so that a crash in between leaves a slice that is too long, and never one that leaves records out
    run_slice = extend_slice(attempt.warehouse, run_slice, {each.partition: each.start for each in lost}, {})
    row = note(attempt, "rewind", run_slice.topic_id, lost, "the log was cut off")
    say(
        f"batch {row.batch}: rewind {text(lost)}, landed offsets that the broker has lost and gives out again"
    )
    return run_slice


def _cut(
    warehouse: Warehouse, run_slice: Slice, kafka: dict[str, Any], behind: OffsetRange, starts: Position
) -> int:
    """Where the log was cut off: what it holds from there on was written since.

    That may lie before its present end. The newest offset at which log and tables hold the same record is
    looked for from there backwards; the same is what has the same Kafka timestamp at the same offset.
    """
    partition, end = behind.partition, behind.start
    first = starts.get(partition, 0)
    while end > first:
        begin = max(first, end - STEP)
        span = OffsetRange(partition=partition, start=begin, until=end)
        kept = _in_log(kafka, run_slice.topic, (span,)).join(
            _in_tables(warehouse, run_slice.topic_id, span), ["offset", "timestamp"], "semi"
        )
        if len(kept):
            return int(kept["offset"].max()) + 1  # type: ignore[arg-type]  # an integer column's maximum
        end = begin
    return first


def _in_log(kafka: dict[str, Any], topic: str, ranges: Ranges) -> pl.DataFrame:
    parts = [
        pl.DataFrame(batch.select(["offset", "timestamp"])) for batch in read_records(kafka, topic, ranges)
    ]
    return pl.concat([_NONE, *parts])


_NONE = pl.DataFrame(schema={"offset": pl.Int64, "timestamp": pl.Datetime("us", "UTC")})


def _in_tables(warehouse: Warehouse, topic_id: str, span: OffsetRange) -> pl.DataFrame:
    return pl.concat([_NONE, *_parts(warehouse, topic_id, span)])


def _parts(warehouse: Warehouse, topic_id: str, span: OffsetRange) -> Iterator[pl.DataFrame]:
    provenance = pl.col("provenance").struct
    for table in filter(warehouse.exists, LANDED):
        yield (
            scan(warehouse, table)
            .filter(
                provenance.field("topic_id") == topic_id,
                provenance.field("partition") == span.partition,
                provenance.field("offset").is_between(span.start, span.until, closed="left"),
            )
            .select(provenance.field("offset"), provenance.field("timestamp"))
            .collect()
        )
