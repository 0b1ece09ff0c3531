"""Small landings: one file of a year, beside the script as people write it; a hundred micro-batches."""

from pathlib import Path

from rich.console import Console

from bench.ageing import Ageing, land_many
from bench.contenders.start import headrace_spark, headrace_worker
from bench.contest import (
    HEADRACE_SPARK,
    HEADRACE_WORKER,
    PLAIN_PYTHON,
    SPARK_NAIVE,
    Course,
    Standing,
    contest,
    table,
)
from bench.stream import broker, full_stream

T1_RECORDS = 50_530
MICRO_BATCH = 1_000
ENGINES = {"spark": headrace_spark, "worker": headrace_worker}


def land_a_year(folder: Path, records: int, runs: int, console: Console) -> list[Standing]:
    """As many records as T1.csv has, in one micro-batch."""
    with broker(folder) as config:
        stream = full_stream(folder, config, records, 250_000)
        contenders = (HEADRACE_SPARK, HEADRACE_WORKER, SPARK_NAIVE, PLAIN_PYTHON)
        standings = contest(Course(stream, records, folder / "warehouse"), contenders, runs, console)
    console.print(table(standings, (SPARK_NAIVE, PLAIN_PYTHON)))
    return standings


def land_micro_batches(folder: Path, batches: int, console: Console) -> dict[str, Ageing]:
    """A hundred micro-batches of a thousand records on a stream of their own, with each engine."""
    found = {}
    for name, start in ENGINES.items():
        found[name] = land_many(folder / name, batches, MICRO_BATCH, console, start)
        console.print(f"{name}: a micro-batch takes {found[name].whole:.2f} s in the median")
    return found
