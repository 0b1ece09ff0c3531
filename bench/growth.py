"""What a batch costs on a table that holds many rows already, beside the same batch on an empty one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from rich.console import Console
from rich.progress import track

from bench.stream import broker, full_stream, instants, rows
from headrace.contract.model import Contract
from headrace.identities.index import catch_up
from headrace.land.landing import Landing
from headrace.land.worker import land_in_worker, next_ranges
from headrace.offsets import OffsetRange, advance
from headrace.parse.parser import PARSED, PROVENANCE
from headrace.staging.committer import commit_batch
from headrace.staging.staging import Staging, stage
from headrace.tables.attempt import Attempt
from headrace.tables.batches import Batch, append_batch
from headrace.tables.compaction import compact
from headrace.tables.creation import create_tables
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.slices import Slice
from headrace.tables.warehouse import Warehouse
from testbed.streams import Stream

FILL = 250_000
"""Rows of each batch that fills the table."""
ELSEWHERE = 1_000
"""The partition that those rows are said to come from: the topic has none of that number."""
STEPS: Mapping[int, int] = {1_000: 9, 250_000: 3}
"""How many batches of each size are landed on either table."""


@dataclass
class Side:
    """A table and how long each batch took on it: (seconds, processor seconds) by the batch's size."""

    landing: Landing
    stands: dict[int, int]
    took: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def land(self, size: int) -> None:
        """Land the next batch of that size, by the worker's engine."""
        ranges = next_ranges(self.stands, self.landing.run_slice.until, size)
        until = advance(self.stands, ranges)
        part = self.landing.run_slice.model_copy(update={"until": until})
        began, used = time.perf_counter(), time.process_time()
        self.stands = land_in_worker(replace(self.landing, run_slice=part), self.stands)
        self.took.setdefault(size, []).append((time.perf_counter() - began, time.process_time() - used))


@dataclass(frozen=True)
class Growth:
    """The same batches on an empty table and on one that holds `held` rows."""

    held: int
    empty: dict[int, list[tuple[float, float]]]
    full: dict[int, list[tuple[float, float]]]

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Growth":
        """From a file of results, where sizes are texts."""
        sides = ({int(size): each for size, each in record[side].items()} for side in ("empty", "full"))
        return cls(record["held"], *sides)

    def ratios(self, size: int) -> tuple[float, float]:
        """How many times as long a batch of that size takes on the full one: by the clock, processor time."""
        full, empty = (list(zip(*side[size], strict=True)) for side in (self.full, self.empty))
        by_time, by_cpu = (median(a) / median(b) for a, b in zip(full, empty, strict=True))
        return by_time, by_cpu


def land_on_both(folder: Path, held: int, console: Console, steps: Mapping[int, int] = STEPS) -> Growth:
    """Fill one of two tables, then land the same batches on both, in turns."""
    records = sum(size * count for size, count in steps.items())
    with broker(folder) as config:
        console.print(f"filling a topic with {records:,} records")
        stream = full_stream(folder, config, records, max(steps), first=held)
        run_slice = stream.slice_to_end()
        empty, full = (_side(stream, folder / name, run_slice) for name in ("empty", "full"))
        fill(full.landing.attempt, stream.topic_id, held)
        for size, count in steps.items():
            for number in range(count):
                for side in (empty, full) if number % 2 else (full, empty):
                    side.land(size)
    found = Growth(held, empty.took, full.took)
    for size in steps:
        by_time, by_cpu = found.ratios(size)
        console.print(
            f"a batch of {size:,} on {held:,} rows takes {by_time:.2f} times as long as on an empty table, "
            f"{by_cpu:.2f} times the processor time"
        )
    return found


def _side(stream: Stream, root: Path, run_slice: Slice) -> Side:
    warehouse = Warehouse(root, stream.contract.stream)
    warehouse.prepare()
    create_tables(warehouse)
    landing = Landing(Attempt(stream.contract, warehouse, "bench"), run_slice, stream.config)
    return Side(landing, dict(run_slice.start))


def fill(attempt: Attempt, topic_id: str, held: int) -> None:
    """Rows of earlier times than the topic's."""
    for batch, first in enumerate(track(range(0, held, FILL), "filling a table")):
        fill_batch(
            attempt, batch, parsed_rows(attempt.contract, topic_id, first, min(FILL, held - first)), first
        )


def fill_batch(attempt: Attempt, batch: int, parsed: pa.RecordBatch, first: int) -> None:
    """Rows as the parser makes them: staged, committed, closed."""
    warehouse, count, now = attempt.warehouse, parsed.num_rows, datetime.now(UTC)
    ranges = (OffsetRange(partition=ELSEWHERE, start=first, until=first + count),)
    topic_id = parsed["provenance"].field("topic_id")[0].as_py()
    staged = stage([parsed], Staging.of(attempt.contract, warehouse, batch, now))
    catch_up(warehouse)
    commit = attempt.batch_commit(batch, topic_id, ranges)
    for name, files in ((READINGS, staged.readings), (QUARANTINE, staged.quarantine)):
        commit_batch(warehouse.table(name), warehouse.stream, commit, files)
        compact(warehouse.table(name))
    row = Batch(
        **commit.model_dump(exclude={"kind"}),
        kind="batch",
        records=count,
        landed=staged.landed,
        quarantined=staged.quarantined,
        started=now,
        finished=now,
    )
    append_batch(warehouse, row)


def parsed_rows(contract: Contract, topic_id: str, first: int, count: int) -> pa.RecordBatch:
    """What the parser makes of those rows, all of them sound."""
    values = rows(first, count, 1)
    local = instants(first, count, 1)
    signals = {field: signal.name for signal in contract.record.signals for field in signal.fields}
    names = [signals[column] for column in values.columns[1:]]
    lists = values.select(pl.concat_list(values.columns[1:])).to_series().to_arrow()
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
