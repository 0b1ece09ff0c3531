"""One trial: publish and land a slice with one fault, recover, reconcile, compare row by row."""

import random
import subprocess
import time
import traceback
from datetime import UTC, datetime
from functools import cache

from pydantic import BaseModel, ConfigDict

from chaos.airflow_world import AirflowWorld
from chaos.compare import Comparison, compare
from chaos.faults import Fault
from chaos.world import STAGES, Bench, World
from headrace.errors import HeadraceError
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import PROJECT


class Result(BaseModel):
    """What a trial has come to; one line of the results file.

    `seconds`: from the fault to the end of the struck stage's first good try, None where there was none.
    """

    model_config = ConfigDict(frozen=True)

    fault: str
    seed: int
    number: int
    commit: str
    at: datetime
    first: int
    rows: int
    recovered: bool
    lost: int
    doubled: int
    gold: int
    seconds: float | None
    whole: float
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether the promise held."""
        return self.recovered and not (self.lost or self.doubled or self.gold or self.problems)


def run_trial(fault: Fault, seed: int, number: int, bench: Bench) -> Result:
    """Run one trial; whatever goes wrong in it is in its result."""
    began = time.monotonic()
    rng = random.Random(f"{seed} {number} {fault.name}")  # the same trial alone and among others
    bench.ready()
    world = fault.kind(bench, f"c{seed}x{number}", rng, fault.stage, fault.engine)
    world.ways_out |= fault.ways_out
    problems: list[str] = []
    seconds: float | None = None
    try:
        if isinstance(world, AirflowWorld):
            seconds = _suffer_in_airflow(fault, world, problems)
        else:
            seconds = _suffer(fault, world, problems)
    except Exception as failed:  # a trial that breaks is a bad one, and the next one is run
        problems.append("".join(traceback.format_exception(failed)).strip())
    problems += [f"nothing was refused with {code}, as it had to be" for code in world.ways_out]
    found = _compare(fault, world, problems)
    result = Result(
        fault=fault.name,
        seed=seed,
        number=number,
        commit=_commit(),
        at=datetime.now(UTC),
        first=world.first,
        rows=world.rows,
        recovered=seconds is not None,
        lost=found.lost,
        doubled=found.doubled,
        gold=found.gold,
        seconds=seconds,
        whole=time.monotonic() - began,
        problems=tuple(problems),
        notes=tuple(world.notes),
    )
    world.close(keep=not result.good)
    return result


def _suffer(fault: Fault, world: World, problems: list[str]) -> float | None:
    """All stages, with the fault in one of them; the seconds until that one was recovered."""
    at = STAGES.index(fault.stage)
    seconds: float | None = None
    for stage in STAGES[: max(at, 1) + 1]:
        if stage == fault.stage:
            for outcome in fault.strike(world):
                world.note(f"struck: {outcome}")
                expected = fault.terminal | fault.ways_out.keys()
                if outcome.terminal and outcome.error and outcome.error.code not in expected:
                    problems.append(f"Airflow would not have tried again: {outcome}")
            if world.repeat(stage):
                seconds = time.monotonic() - world.struck_at
        elif not world.repeat(stage):
            problems.append(f"{stage} did not succeed")
    return seconds


def _suffer_in_airflow(fault: Fault, world: AirflowWorld, problems: list[str]) -> float:
    """One run of the stream's DAG, which reconciles at its end; seconds until the struck task was done."""
    fault.strike(world)
    seconds = time.monotonic() - world.struck_at
    ended = world.await_end()
    world.note(f"the run ended: {ended}")
    if ended != "success":
        problems.append(f"Airflow did not bring the run to its end: {ended}")
    return seconds


def _compare(fault: Fault, world: World, problems: list[str]) -> Comparison:
    try:
        reconcile(world.stream.contract, world.settings, dict(world.stream.config), world.run_id)
    except HeadraceError as failed:
        problems.append(str(failed))
    except Exception as failed:  # as above: the comparison below needs no reconcile
        problems.append("".join(traceback.format_exception(failed)).strip())
    warehouse = world.stream.warehouse(world.settings.warehouse_path)
    gold = fault.stage == "analyse" or isinstance(world, AirflowWorld)
    try:
        return compare(world.source, warehouse, gold, world.fastest, fault.comes_again)
    except Exception as failed:  # a table that cannot be read has lost all of its rows
        problems.append("".join(traceback.format_exception(failed)).strip())
        return Comparison(lost=world.rows, doubled=0)


@cache
def _commit() -> str:
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return head.stdout.strip() or "unknown"
