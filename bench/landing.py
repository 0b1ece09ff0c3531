"""Landing at full speed, held against Spark's raw ceiling and a Python script that promises nothing."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.contest import (
    HEADRACE_SPARK,
    HEADRACE_WORKER,
    PLAIN_PYTHON,
    SPARK_RAW,
    Contender,
    Course,
    Standing,
    contest,
    table,
)
from bench.stream import broker, full_stream

OWN = (HEADRACE_SPARK, HEADRACE_WORKER)
ALL = (HEADRACE_SPARK, SPARK_RAW, HEADRACE_WORKER, PLAIN_PYTHON)


def land_all(
    folder: Path,
    records: int,
    batch: int,
    runs: int,
    console: Console,
    *,
    contenders: Sequence[Contender] = ALL,
    more: int = 0,
) -> list[Standing]:
    """The standings of all four, or of those that are named, over one topic; `more` signals a record."""
    with broker(folder) as config:
        console.print(f"filling a topic with {records:,} records")
        stream = full_stream(folder, config, records, batch, more=more)
        standings = contest(Course(stream, records, folder / "warehouse"), contenders, runs, console)
    console.print(table(standings, [peer for peer in (SPARK_RAW, PLAIN_PYTHON) if peer in contenders]))
    return standings
