"""What a fault is: its name, the stage that it hits, how it strikes and how it is recovered."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from chaos.processes import Running
from chaos.world import BATCH, SPARK, TRANSACTION, WORKER, WayOut, World
from testbed.stages import Outcome

Strike = Callable[[World], list[Outcome]]
"""Starts the stage, strikes, and returns how the processes that it struck have ended."""

REPEATED = "the task's command is repeated"


@dataclass(frozen=True)
class Fault:
    """One fault.

    `terminal`: codes of errors with which a struck process may end though Airflow would not try it again: a
    rival of it goes on, or `recovered` names what a person does. `lacking`: why it cannot be had here.
    `engine`: what lands; only faults of landing have Spark land, whose drivers take ten seconds to start.
    `ways_out`: codes with which a stage has to be refused, and what a person does then. `comes_again`:
    records that are landed come once more, and count as duplicates. `kind`: the world that it needs.
    """

    name: str
    stage: str
    strike: Strike
    injected: str
    recovered: str = REPEATED
    terminal: frozenset[str] = frozenset()
    lacking: Callable[[], str | None] = field(default=lambda: None)
    engine: str = WORKER
    ways_out: Mapping[str, WayOut] = field(default_factory=dict)
    comes_again: bool = False
    kind: type[World] = World


def of_both_engines(*faults: Fault) -> tuple[Fault, ...]:
    """Each fault of landing, told of a Spark driver, and the same for a worker."""
    return tuple(each for fault in faults for each in (replace(fault, engine=SPARK), _of_worker(fault)))


def _of_worker(fault: Fault) -> Fault:
    name = fault.name.replace("driver", "worker").replace("while landing", "while a worker lands")
    assert name != fault.name, name
    return replace(
        fault,
        name=name,
        injected=fault.injected.replace("driver (JVM and Python)", "worker").replace("driver", "worker"),
        recovered=fault.recovered.replace("driver", "worker"),
    )


def publish_point(world: World, *names: str) -> str:
    """One of the publisher's points, and a passing of it that this slice has."""
    transactions = -(-world.rows // TRANSACTION)
    name = world.rng.choice(names or ("before_begin", "inside", "before_commit", "after_commit"))
    passings = world.rows // 1_000 if name == "inside" else transactions
    return f"publish.{name}:{world.rng.randint(1, passings)}"


def land_point(world: World, *names: str) -> str:
    """One of landing's points, and a passing of it that this slice has."""
    name = world.rng.choice(names or ("before_write", "after_staging", "after_readings", "after_quarantine"))
    return f"land.{name}:{world.rng.randint(1, world.rows // BATCH)}"


def stopped_at(world: World, stage: str, point: str, **environment: str) -> Running:
    """The stage's process, stopped at that point."""
    world.note(f"stopped at {point}")
    return world.start(stage, HEADRACE_STOP_AT=point, **environment).await_stop()


def two_at_once(world: World, stage: str, apart: float, **environment: str) -> tuple[Running, Running]:
    """Two processes of the stage, the second up to so many seconds after the first."""
    delay = world.rng.uniform(0, apart)
    world.note(f"the second {delay:.2f} s after the first")
    first = world.start(stage, **environment)
    threading.Event().wait(delay)
    second = world.start(stage, **environment)
    world.struck()
    return first, second


def killed_at(world: World, stage: str, point: str, **environment: str) -> list[Outcome]:
    """Have the stage's process killed at that point; it must come to it."""
    world.note(f"killed at {point}")
    outcome = world.start(stage, HEADRACE_CRASH_AT=point, **environment).ended()
    assert outcome.code not in {0, 1}, f"it was to be killed at {point}: {outcome}"
    world.struck()
    return [outcome]
