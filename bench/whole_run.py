"""Whole runs of the DAG on an embedded stack of their own: a year, a day more, nothing new."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from bench.stream import T1
from headrace.errors import RunFailed
from headrace.tables.queries import counts
from local.stack.stack import Stack
from testbed.pipeline import DAG, Pipeline, fresh_settings, local

DAY = 144
"""Rows of a day."""


@dataclass(frozen=True)
class Run:
    """A run of the DAG: its seconds from its start to its end, and those of each task."""

    name: str
    readings: int
    seconds: float
    tasks: dict[str, float]

    @property
    def task_seconds(self) -> float:
        """Of all tasks together."""
        return sum(self.tasks.values())


def run_dag(folder: Path, console: Console) -> list[Run]:
    """The runs, in their order; each must have landed what was new.

    Raises:
        RunFailed: a run failed, or has landed more or less.
    """
    header, *rows = T1.read_bytes().splitlines(keepends=True)
    with _pipeline(folder) as (pipeline, source):
        found = []
        for name, held in (
            ("a year", len(rows) - DAY),
            ("a day more", len(rows)),
            ("nothing new", len(rows)),
        ):
            source.write_bytes(header + b"".join(rows[:held]))
            found.append(_timed(pipeline, name, held))
            console.print(f"{name}: {found[-1].seconds:.1f} s, its tasks {found[-1].task_seconds:.1f} s")
    console.print(_table(found))
    return found


@contextmanager
def _pipeline(folder: Path) -> Iterator[tuple[Pipeline, Path]]:
    sources = folder / "sources"
    sources.mkdir(parents=True)
    settings = fresh_settings(folder / "home", sources)
    contract, source = settings.streams_path / f"{DAG}.yaml", sources / T1.name
    fields: dict[str, Any] = yaml.safe_load(contract.read_text(encoding="utf-8"))
    fields["source"]["path"] = str(source)
    contract.write_text(yaml.safe_dump(fields, allow_unicode=True, sort_keys=False), encoding="utf-8")
    source.write_bytes(T1.read_bytes())
    stack = Stack(settings)
    try:
        started = local("up", settings, "UTC", folder)
        said, _ = started.communicate(timeout=600)
        if started.returncode:
            raise RunFailed(said)
        yield Pipeline(settings, stack, stack.client()), source
    finally:
        stack.down()


def _timed(pipeline: Pipeline, name: str, readings: int) -> Run:
    run_id = pipeline.start()
    state, landed = pipeline.ended(run_id), counts(pipeline.warehouse).readings
    if (state, landed) != ("success", readings):
        raise RunFailed(f"{name}: the run ended as {state}, with {landed:,} readings of {readings:,}")
    run = pipeline.airflow.run(DAG, run_id)
    began, ended = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
    tasks = pipeline.airflow.task_instances(DAG, run_id)
    return Run(
        name,
        readings,
        (ended - began).total_seconds(),
        {task["task_id"]: float(task["duration"] or 0) for task in tasks},
    )


def _table(runs: list[Run]) -> Table:
    shown = Table(title="seconds of each task")
    shown.add_column("task")
    for run in runs:
        shown.add_column(run.name, justify="right")
    for task in runs[0].tasks:
        shown.add_row(task, *(f"{run.tasks[task]:.1f}" for run in runs))
    shown.add_row("all tasks", *(f"{run.task_seconds:.1f}" for run in runs))
    shown.add_row("the run", *(f"{run.seconds:.1f}" for run in runs))
    return shown
