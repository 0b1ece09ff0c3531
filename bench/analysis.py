"""Analysis by Spark and by the worker, beside a script as people write it; a day more on a large table."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import yaml
from deltalake import DeltaTable
from rich.console import Console
from rich.markup import escape

from bench.contenders import start
from bench.contest import Contender, Standing, table
from bench.growth import ELSEWHERE, FILL, fill_batch, parsed_rows
from bench.process import Cost, cost_of
from bench.stream import definition, instants
from headrace.contract.loader import WrittenContract
from headrace.driver.protocol import Job
from headrace.errors import RunFailed
from headrace.tables.attempt import Attempt
from headrace.tables.batches import landed_position, next_batch
from headrace.tables.creation import create_tables
from headrace.tables.names import GOLD
from headrace.tables.warehouse import Warehouse

STREAM = "analysis"
TOPIC_ID = "no topic"
A_DAY = 1_440
"""Readings of a day: they are a minute apart."""

OURS = tuple(f"{STREAM}/{name}" for name in GOLD)
SPARK = Contender("Headrace, Spark", start.analyse_spark, OURS)
WORKER = Contender("Headrace, worker", start.analyse_worker, OURS)
NAIVE = Contender("Spark, as people write it", start.analyse_naive, ("naive/daily", "naive/hourly"))
ALL = (SPARK, WORKER, NAIVE)
ENGINES = (SPARK, WORKER)


@dataclass(frozen=True)
class Change:
    """A day's new readings analysed on an empty table, and on one of `held` readings, by each engine."""

    held: int
    empty: dict[str, list[Cost]]
    full: dict[str, list[Cost]]

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Change":
        """From a file of results."""
        sides = (
            {name: [Cost(**each) for each in costs] for name, costs in record[side].items()}
            for side in ("empty", "full")
        )
        return cls(record["held"], *sides)

    def medians(self, engine: str) -> tuple[float, float, float, float]:
        """Seconds on the empty and on the full table, then processor seconds on both."""
        sides = (self.empty[engine], self.full[engine])
        seconds = [median(each.seconds for each in side) for side in sides]
        cpu = [median(each.cpu for each in side) for side in sides]
        return seconds[0], seconds[1], cpu[0], cpu[1]


def analyse_all(
    folder: Path, records: int, runs: int, console: Console, contenders: Sequence[Contender] = ALL
) -> list[Standing]:
    """All days of one table, by each in turns, from gold tables that are not there.

    Raises:
        RunFailed: one failed, or its tables have other days, hours or times than the readings.
    """
    job = _filled(folder, records)
    costs: dict[str, list[Cost]] = {each.name: [] for each in contenders}
    for run in range(1, runs + 1):
        for each in contenders:
            for name in each.tables:
                shutil.rmtree(job.warehouse / name, ignore_errors=True)
            costs[each.name].append(_cost(each, job, records, console))
            _say(console, f"{each.name}, run {run} of {runs}", costs[each.name][-1])
    standings = [Standing(name, records, tuple(each)) for name, each in costs.items()]
    console.print(table(standings, [NAIVE] if NAIVE in contenders else []))
    return standings


def change_a_day(
    folder: Path, held: int, runs: int, console: Console, engines: Sequence[Contender] = ENGINES
) -> Change:
    """A day more on a table of `held` readings, and the same day as the first of an empty one, in turns.

    Raises:
        RunFailed: as `analyse_all`.
    """
    found = Change(held, {each.name: [] for each in engines}, {each.name: [] for each in engines})
    full = _filled(folder / "full", held)
    _cost(engines[-1], full, held, console)
    for run in range(runs):
        for number, each in enumerate(engines):
            day = held + (run * len(engines) + number) * A_DAY
            empty = _filled(folder / f"empty {day}", A_DAY, first=day)
            fill(_attempt(full), TOPIC_ID, day, day + A_DAY)
            for side, job, records in ((found.empty, empty, A_DAY), (found.full, full, day + A_DAY)):
                side[each.name].append(_cost(each, job, records, console, first=day + A_DAY - records))
    for each in engines:
        on_empty, on_full, *cpu = found.medians(each.name)
        console.print(
            f"{each.name}: a day on {held:,} readings takes {on_full / on_empty:.2f} times as long as on an "
            f"empty table ({on_full:.1f} s), {cpu[1] / cpu[0]:.2f} times the processor time ({cpu[1]:.1f} s)"
        )
    return found


def _filled(folder: Path, records: int, first: int = 0) -> Job:
    """A stream of its own whose table holds so many readings; the job that analyses it."""
    folder.mkdir(parents=True)
    file = folder / f"{STREAM}.yaml"
    file.write_text(yaml.safe_dump(definition(STREAM, 250_000), sort_keys=False), encoding="utf-8")
    job = Job(contract=WrittenContract.of(file), run_id="bench", warehouse=folder / "warehouse")
    attempt = _attempt(job)
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    fill(attempt, TOPIC_ID, first, first + records)
    return job


def fill(attempt: Attempt, topic_id: str, start: int, until: int) -> None:
    """Land rows `start` to `until` of T1's values, a minute apart, as if they came out of the topic."""
    for first in range(start, until, FILL):
        rows = parsed_rows(attempt.contract, topic_id, first, min(FILL, until - first))
        stands = landed_position(attempt.warehouse, topic_id).get(ELSEWHERE, 0)
        fill_batch(attempt, next_batch(attempt.warehouse), rows, stands)


def _attempt(job: Job) -> Attempt:
    contract = job.contract.load()
    return Attempt(contract, Warehouse(job.warehouse, contract.stream), job.run_id)


def _cost(contender: Contender, job: Job, records: int, console: Console, first: int = 0) -> Cost:
    """What one analysis costs, and whether its tables hold what the readings say."""
    with console.status(contender.name) as status:
        cost = cost_of(
            lambda: contender.start(job),
            lambda said: status.update(escape(f"{contender.name}: {said[:100]}")),
        )
    daily, hourly = (DeltaTable(job.warehouse / name) for name in contender.tables)
    counted = pl.DataFrame(daily.to_pyarrow_table(columns=["distinct_signal_ts"])).to_series()
    found = (len(counted), hourly.count(), counted.sum())
    local = instants(first, records, 1)
    expected = (local.dt.date().n_unique(), local.dt.truncate("1h").n_unique(), records)
    if found != expected:
        raise RunFailed(f"{contender.name}: days, hours and times are {found}, the readings have {expected}")
    return cost


def _say(console: Console, who: str, cost: Cost) -> None:
    console.print(
        f"{who}: {cost.seconds:.1f} s, {cost.cpu:.1f} s of processor time, {cost.memory >> 20:,} MB, "
        f"{cost.largest >> 20:,} of them its largest process"
    )
