"""Landing at full speed, held against Spark's raw ceiling and a Python script that promises nothing."""

from pathlib import Path

from rich.console import Console

from bench.contest import (
    HEADRACE_SPARK,
    HEADRACE_WORKER,
    PLAIN_PYTHON,
    SPARK_RAW,
    Course,
    Standing,
    contest,
    table,
)
from bench.stream import broker, full_stream

ALL = (HEADRACE_SPARK, SPARK_RAW, HEADRACE_WORKER, PLAIN_PYTHON)


def land_all(folder: Path, records: int, batch: int, runs: int, console: Console) -> list[Standing]:
    """The standings of all four over one topic."""
    with broker(folder) as config:
        console.print(f"filling a topic with {records:,} records")
        stream = full_stream(folder, config, records, batch)
        standings = contest(Course(stream, records, folder / "warehouse"), ALL, runs, console)
    console.print(table(standings, (SPARK_RAW, PLAIN_PYTHON)))
    return standings
