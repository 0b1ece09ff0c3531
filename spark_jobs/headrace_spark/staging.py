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
from headrace.staging.staged import Staged
from headrace.staging.staging import Staging, stage

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

    An executor whose task is tried again leaves files that no commit lists; vacuum finds them.
    """

    def stage_task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        staged = stage(parser.parse_all(map(without_false_times, batches)), staging)
        yield pa.RecordBatch.from_pydict({"staged": [pickle.dumps(staged)]})

    tasks = records.select(*RECORDS.names).coalesce(ceil(offsets / OFFSETS_A_TASK))
    answers = tasks.mapInArrow(stage_task, "staged BINARY").toArrow()["staged"]
    # Written by our own code in our own executors a moment ago, as Spark itself hands Python objects around.
    return reduce(add, (pickle.loads(each.as_py()) for each in answers), Staged())  # noqa: S301  # see above
