"""A micro-batch parsed and staged where Spark has read it; narrow facts come back to the driver."""

import pickle
from collections.abc import Iterator
from functools import reduce
from math import ceil
from operator import add

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from headrace.parse.parser import INSTANT, RECORDS, Parser
from headrace.parse.schemas import SchemasMissing
from headrace.staging.staged import Staged
from headrace.staging.staging import Staging, discard, stage

OFFSETS_A_TASK = 25_000
"""A small micro-batch is one task and one file, however many partitions its topic has."""


NO_TIMESTAMP = pa.scalar(-1_000, INSTANT)
"""What Spark makes of -1 ms, which Kafka has for a record without a timestamp."""


def without_false_times(records: pa.RecordBatch) -> pa.RecordBatch:
    """The records, and no time for those that have none."""
    times = records["timestamp"].cast(INSTANT)
    known = pc.if_else(pc.equal(times, NO_TIMESTAMP), pa.scalar(None, INSTANT), times)
    return records.set_column(records.schema.get_field_index("timestamp"), "timestamp", known)


def stage_on_executors(records: DataFrame, parser: Parser, staging: Staging, offsets: int) -> Staged:
    """Parse and stage the records, about `offsets` of them, in one pass.

    An executor whose task is tried again leaves files that no commit lists; vacuum finds them. Executors ask
    no schema registry: where they meet a schema that is new, this process asks, and they begin again.
    """

    def stage_task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        answer: Staged | frozenset[int]
        try:
            answer = stage(parser.parse_all(map(without_false_times, batches)), staging)
        except SchemasMissing as missing:
            answer = missing.ids
        yield pa.RecordBatch.from_pydict({"staged": [pickle.dumps(answer)]})

    tasks = records.select(*RECORDS.names).coalesce(ceil(offsets / OFFSETS_A_TASK))
    answers = tasks.mapInArrow(stage_task, "staged BINARY").toArrow()["staged"]
    # Written by our own code in our own executors a moment ago, as Spark itself hands Python objects around.
    found = [pickle.loads(each.as_py()) for each in answers]  # noqa: S301  # see above
    missing: frozenset[int] = frozenset().union(*(each for each in found if isinstance(each, frozenset)))
    staged = reduce(add, (each for each in found if isinstance(each, Staged)), Staged())
    if not missing:
        return staged
    discard(staging, staged)
    parser.schemas.require(missing)
    return stage_on_executors(records, parser, staging, offsets)
