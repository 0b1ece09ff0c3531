"""Publishing one file, beside plain scripts and Kafka's own tool: each a process of its own, in turns."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.markup import escape

from bench.contenders import publishers
from bench.contenders.publishers import Task
from bench.contest import Standing, table
from bench.process import Cost, cost_of
from bench.stream import broker, definition, rows
from headrace.errors import RunFailed
from headrace.kafka.reader import visible_records
from headrace.kafka.topics import log_end, log_start
from headrace.offsets import between
from testbed.streams import Stream, make_stream
from testbed.waiting import until_nothing_is_open

WRITTEN = 100_000
"""Rows of the file that are made at a time."""

COLUMNS = {"175 B": 0, "1.2 KB": 26}
"""How many columns a record of about that size has beside T1's own."""

WARM_SHARE = 10
"""One record warms the broker up for so many that are measured."""

WIDE_SHARE = 4
"""One wide record is published for so many narrow ones."""


@dataclass(frozen=True)
class Publisher:
    """A way to publish a file: how its process starts."""

    name: str
    start: Callable[[Task], "subprocess.Popen[str]"]


HEADRACE = Publisher("Headrace", publishers.headrace)
PLAIN_SCRIPT = Publisher("plain Python script", publishers.plain_script)
POLARS_SCRIPT = Publisher("script with polars", publishers.polars_script)
PERF_TOOL = Publisher("Kafka's perf tool", publishers.perf_tool)
ALL = (HEADRACE, PLAIN_SCRIPT, POLARS_SCRIPT, PERF_TOOL)


@dataclass(frozen=True)
class Course:
    """What all of them publish: a file of so many rows, with so many columns beside T1's own."""

    folder: Path
    records: int
    more: int

    @property
    def file(self) -> Path:
        """The rows."""
        return self.folder / "rows.csv"

    @property
    def payload(self) -> Path:
        """The first of them as JSON texts, a line each, for Kafka's tool."""
        return self.folder / "payload.txt"

    def write(self) -> int:
        """Write both; how many bytes a text has in the mean."""
        with self.file.open("wb") as writing:
            for first in range(0, self.records, WRITTEN):
                self._rows(first, min(WRITTEN, self.records - first)).write_csv(
                    writing, include_header=first == 0
                )
        some = self._rows(0, min(10_000, self.records))
        texts = some.select(pl.struct(pl.all()).struct.json_encode().alias("text"))["text"]
        self.payload.write_text("\n".join(texts), encoding="utf-8")
        return self.payload.stat().st_size // len(texts)

    def _rows(self, first: int, count: int) -> pl.DataFrame:
        """T1's rows, their measured values again and again in more columns."""
        frame = rows(first, count, 1)
        names = frame.columns[2:]
        return frame.with_columns(
            pl.col(names[number % len(names)]).alias(f"{names[number % len(names)]}_{number}")
            for number in range(self.more)
        )

    def task(self, config: dict[str, Any]) -> Task:
        """The file for a stream and a topic that nobody has published to."""
        home = self.folder / "run"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        own = definition("publishing", self.records)
        own["source"]["path"] = str(self.file)
        own["topic"]["config"]["compression.type"] = "producer"  # else the broker compresses all anew
        return Task(make_stream(home, config, own), home, self.file, self.payload, self.records)


def publish_all(folder: Path, records: int, runs: int, console: Console) -> dict[str, list[Standing]]:
    """The standings of all four, by the records' size."""
    found = {}
    with broker(folder) as config:
        for size, more in COLUMNS.items():
            course = Course(folder, max(1, records // WIDE_SHARE) if more else records, more)
            _warm_up(replace(course, records=max(1, course.records // WARM_SHARE)), config)
            console.print(f"{course.records:,} records of {course.write():,} B")
            found[size] = _in_turns(course, config, runs, console)
            console.print(table(found[size], ALL[1:]))
    return found


def _warm_up(course: Course, config: dict[str, Any]) -> None:
    """Each publishes a tenth: the first who meets a new broker would have its start-up, too."""
    course.write()
    for each in ALL:
        _publish(each, course.task(config), lambda _: None)


def _in_turns(course: Course, config: dict[str, Any], runs: int, console: Console) -> list[Standing]:
    records = course.records
    costs: dict[str, list[Cost]] = {each.name: [] for each in ALL}
    for run in range(1, runs + 1):
        for each in ALL:
            with console.status(f"{each.name}, run {run} of {runs}") as status:
                cost = _publish(each, course.task(config), status.update)
            costs[each.name].append(cost)
            console.print(
                f"{each.name}, run {run} of {runs}: {records / cost.seconds:,.0f} records/s, "
                f"{cost.cpu / records * 1e6:.1f} µs of processor time a record, {cost.memory >> 20:,} MB"
            )
    return [Standing(name, records, tuple(each)) for name, each in costs.items()]


def _publish(publisher: Publisher, task: Task, line: Callable[[str], None]) -> Cost:
    """Publish, and count what a consumer then sees.

    Raises:
        RunFailed: the process failed, or the topic has another number of records than the file has rows.
    """
    cost = cost_of(
        lambda: publisher.start(task), lambda said: line(escape(f"{publisher.name}: {said[:100]}"))
    )
    seen = _visible(task.stream)
    if seen != task.records:
        raise RunFailed(f"{publisher.name}: {seen:,} records of {task.records:,} rows")
    return cost


def _visible(stream: Stream) -> int:
    topic = stream.contract.topic.name
    until_nothing_is_open(stream.config, topic)
    ranges = between(log_start(stream.config, topic), log_end(stream.config, topic))
    return sum(map(len, visible_records(stream.config, topic, ranges)))
