"""What a batch costs on a table that holds many rows already, beside the same batch on an empty one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from bench.filling import fill
from bench.stream import broker, full_stream
from headrace.land.landing import Landing
from headrace.land.worker import land_in_worker, next_ranges
from headrace.offsets import advance
from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.slices import Slice
from headrace.tables.warehouse import Warehouse
from testbed.streams import Stream

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
        fill(full.landing.attempt, stream.topic_id, 0, held)
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
