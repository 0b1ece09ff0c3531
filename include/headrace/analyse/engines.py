"""Which engine analyses: Spark, or this process without a JVM."""

from headrace.analyse.analysis import Part, analyse, input_of, left_to_do
from headrace.analyse.readings_files import ReadingsFiles
from headrace.analyse.worker import analyse_in_worker
from headrace.tables.attempt import Attempt
from headrace.tables.names import READINGS

SPARK_FROM = 20_000_000
"""Readings from which `auto` takes Spark: docs/performance.md has the figures."""


def needs_spark(attempt: Attempt) -> bool:
    """Whether the analysis is for Spark, by the contract's `landing.engine`; raises as `analyse`."""
    engine = attempt.contract.landing.engine
    return engine == "spark" or (engine == "auto" and _to_read(attempt) >= SPARK_FROM)


def _to_read(attempt: Attempt) -> int:
    """Readings in the files that hold the days to be computed."""
    goal = input_of(attempt)
    files = ReadingsFiles.of(attempt.warehouse.table(READINGS), goal.readings_version)
    parts: set[Part] = {part for part in left_to_do(attempt, goal).values() if part}
    return sum((files if part.days is None else files.holding(part.days)).rows for part in parts)


def analyse_here(attempt: Attempt) -> None:
    """Analyse in this process, as the stream's one writer; raises as `analyse`, and

    Raises:
        StreamLocked: another process writes to the stream's tables.
    """
    with attempt.warehouse.writing():
        analyse(attempt, analyse_in_worker)
