"""Tables filled with readings that came out of no topic, faster than a broker could hand them out."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from rich.progress import track

from bench.stream import instants, rows
from headrace.identities.index import catch_up
from headrace.offsets import OffsetRange
from headrace.parse.parser import PARSED, PROVENANCE
from headrace.staging.committer import commit_batch
from headrace.staging.staging import Staging, stage
from headrace.tables.attempt import Attempt
from headrace.tables.batches import Batch, append_batch, landed_position, next_batch
from headrace.tables.names import QUARANTINE, READINGS

FILL = 250_000
"""Rows of each batch that fills a table."""
ELSEWHERE = 1_000
"""The partition that those rows are said to come from: no topic of a benchmark has one of that number."""


def fill(attempt: Attempt, topic_id: str, start: int, until: int) -> None:
    """Land rows `start` to `until` of T1's values, a minute apart, as the parser makes them."""
    warehouse = attempt.warehouse
    for first in track(range(start, until, FILL), "filling a table"):
        batch, count = next_batch(warehouse), min(FILL, until - first)
        stands = landed_position(warehouse, topic_id).get(ELSEWHERE, 0)
        ranges = (OffsetRange(partition=ELSEWHERE, start=stands, until=stands + count),)
        now = datetime.now(UTC)
        staged = stage([_parsed(topic_id, first, count)], Staging.of(attempt.contract, warehouse, batch, now))
        catch_up(warehouse)
        commit = attempt.batch_commit(batch, topic_id, ranges)
        for name, files in ((READINGS, staged.readings), (QUARANTINE, ())):
            commit_batch(warehouse.table(name), warehouse.stream, commit, files)
        row = Batch(
            **commit.model_dump(exclude={"kind"}),
            kind="batch",
            records=count,
            landed=count,
            quarantined=0,
            started=now,
            finished=now,
        )
        append_batch(warehouse, row)


def _parsed(topic_id: str, first: int, count: int) -> pa.RecordBatch:
    values = rows(first, count, 1)
    local = instants(first, count, 1)
    names = values.columns[1:]
    lists = values.select(pl.concat_list(names)).to_series().to_arrow()
    columns: dict[str, Any] = {
        "signal_ts": local.dt.replace_time_zone("Europe/Istanbul").dt.convert_time_zone("UTC").to_arrow(),
        "signals": pa.MapArray.from_arrays(
            lists.offsets.cast(pa.int32()),
            pa.array(names * count),
            lists.values.cast(pa.string()),
        ),
        "provenance": _provenance(topic_id, first, values),
    }
    nothing = {each.name: pa.nulls(count, each.type) for each in PARSED}
    return pa.RecordBatch.from_pydict(nothing | columns, PARSED)


def _provenance(topic_id: str, first: int, values: pl.DataFrame) -> pa.StructArray:
    count = len(values)
    numbers = pa.array(np.arange(first, first + count))
    columns = {
        "topic_id": pa.repeat(topic_id, count),
        "partition": pa.repeat(pa.scalar(ELSEWHERE, pa.int32()), count),
        "offset": numbers,
        "timestamp": pa.repeat(pa.scalar(datetime(2017, 1, 1, tzinfo=UTC), pa.timestamp("us", "UTC")), count),
        "publication": pa.repeat("0123456789abcdef0123", count),
        "row": pa.array(np.arange(first + 1, first + count + 1)),
        "identity": values.select(pl.format('["{}"]', values.columns[0]))
        .to_series()
        .to_arrow()
        .cast(pa.string()),
    }
    return pa.StructArray.from_arrays(list(columns.values()), fields=list(PROVENANCE))
