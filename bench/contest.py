"""Ways to land one topic, held against each other: every one in a process of its own, in turns."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from deltalake import DeltaTable
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.contenders import start
from bench.process import Cost, cost_of
from bench.stream import give_key
from headrace.errors import RunFailed
from testbed.streams import Stream


@dataclass(frozen=True)
class Contender:
    """A way to land a slice: how its process starts, and the tables that then hold a row for each record."""

    name: str
    start: start.Start
    tables: tuple[str, ...]


OURS = ("landing/readings", "landing/quarantine")
HEADRACE_SPARK = Contender("Headrace, Spark", start.headrace_spark, OURS)
HEADRACE_WORKER = Contender("Headrace, worker", start.headrace_worker, OURS)
SPARK_RAW = Contender("Spark, raw bytes", start.spark_raw, ("raw",))
PLAIN_PYTHON = Contender("plain Python", start.plain_python, ("readings", "quarantine"))
SPARK_NAIVE = Contender("Spark, as people write it", start.spark_naive, ("naive",))


@dataclass(frozen=True)
class Standing:
    """What a contender's runs over so many records cost."""

    name: str
    records: int
    runs: tuple[Cost, ...]

    @property
    def seconds(self) -> float:
        """Seconds of a run, in the median."""
        return median(run.seconds for run in self.runs)

    @property
    def least_seconds(self) -> float:
        """Seconds of the quickest run."""
        return min(run.seconds for run in self.runs)

    @property
    def rate(self) -> float:
        """Records a second, in the median."""
        return self.records / self.seconds

    @property
    def cpu(self) -> float:
        """Microseconds of processor time a record, in the median."""
        return median(run.cpu for run in self.runs) / self.records * 1e6

    @property
    def least_cpu(self) -> float:
        """Microseconds of processor time a record, in the cheapest run."""
        return min(run.cpu for run in self.runs) / self.records * 1e6

    @property
    def memory(self) -> int:
        """Bytes of memory at the most."""
        return max(run.memory for run in self.runs)

    @property
    def largest(self) -> int:
        """Bytes of memory that its largest process held at the most: of Spark, the driver's JVM."""
        return max(run.largest for run in self.runs)

    def of(self, other: "Standing") -> tuple[float, float]:
        """How quick it is beside another one: by the clock, and by processor time; more is better."""
        return self.rate / other.rate, other.cpu / self.cpu

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Standing":
        """From a file of results."""
        return cls(record["name"], record["records"], tuple(Cost(**run) for run in record["runs"]))

    def as_record(self) -> dict[str, Any]:
        """For a file of results."""
        return {"name": self.name, "records": self.records, "runs": [asdict(run) for run in self.runs]}


@dataclass(frozen=True)
class Course:
    """What all of them land: a stream with so many records in its topic, and an empty `warehouse`."""

    stream: Stream
    records: int
    warehouse: Path


def contest(course: Course, contenders: Sequence[Contender], runs: int, console: Console) -> list[Standing]:
    """Land all that the topic holds `runs` times with each, in turns, so that all meet the same machine.

    Raises:
        RunFailed: one failed, or its tables have another number of rows than the topic has records.
    """
    records = course.records
    costs: dict[str, list[Cost]] = {each.name: [] for each in contenders}
    for run in range(1, runs + 1):
        for each in contenders:
            with console.status(f"{each.name}, run {run} of {runs}") as status:
                cost = _land(each, course, status.update)
            costs[each.name].append(cost)
            console.print(
                f"{each.name}, run {run} of {runs}: {records / cost.seconds:,.0f} records/s, "
                f"{cost.cpu / records * 1e6:.1f} µs of processor time a record, {cost.memory >> 20:,} MB, "
                f"{cost.largest >> 20:,} of them its largest process"
            )
    return [Standing(name, records, tuple(each)) for name, each in costs.items()]


def _land(contender: Contender, course: Course, line: Callable[[str], None]) -> Cost:
    warehouse = course.warehouse
    shutil.rmtree(warehouse, ignore_errors=True)
    warehouse.mkdir(parents=True)
    give_key(course.stream.warehouse(warehouse))
    job = course.stream.job(warehouse)
    cost = cost_of(lambda: contender.start(job), lambda said: line(escape(f"{contender.name}: {said[:100]}")))
    tables = [warehouse / table for table in contender.tables]
    rows = sum(DeltaTable(table).count() for table in tables if table.exists())
    shutil.rmtree(warehouse)
    if rows != course.records:
        raise RunFailed(f"{contender.name}: {rows:,} rows of {course.records:,} records")
    return cost


class Named(Protocol):
    """What a standing is known by."""

    @property
    def name(self) -> str:
        """Its contender's name."""
        ...


def table(standings: Sequence[Standing], beside: Sequence[Named]) -> Table:
    """The standings, and how quick each is beside some of them."""
    title = f"{standings[0].records:,} records, {len(standings[0].runs)} runs: medians (least)"
    shown, named = Table(title=title), {each.name: each for each in standings}
    for heading in ("", "seconds", "records/s", "CPU µs\na record", "MB"):
        shown.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for other in beside:
        shown.add_column(f"of {other.name}:\ntime, CPU", justify="right")
    for each in standings:
        ratios = (each.of(named[other.name]) for other in beside)
        shown.add_row(
            each.name,
            f"{each.seconds:.1f} ({each.least_seconds:.1f})",
            f"{each.rate:,.0f}",
            f"{each.cpu:.1f} ({each.least_cpu:.1f})",
            f"{each.memory >> 20:,}",
            *(f"{by_time:.2f}, {by_cpu:.2f}" for by_time, by_cpu in ratios),
        )
    return shown
