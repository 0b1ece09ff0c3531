"""What a fault is: its name, the stage that it hits, how it strikes and how it is recovered."""

from collections.abc import Callable
from dataclasses import dataclass, field

from chaos.processes import Running
from chaos.world import BATCH, TRANSACTION, World
from testbed.stages import Outcome

Strike = Callable[[World], list[Outcome]]
"""Starts the stage, strikes, and returns how the processes that it struck have ended."""

REPEATED = "the task's command is repeated"


@dataclass(frozen=True)
class Fault:
    """One fault.

    `terminal`: codes of errors with which a struck process may end though Airflow would not try it again: a
    rival of it goes on, or `recovered` names what a person does. `lacking`: why it cannot be had here.
    """

    name: str
    stage: str
    strike: Strike
    injected: str
    recovered: str = REPEATED
    terminal: frozenset[str] = frozenset()
    lacking: Callable[[], str | None] = field(default=lambda: None)


def publish_point(world: World, *names: str) -> str:
    """One of the publisher's points, and a passing of it that this slice has."""
    transactions = -(-world.rows // TRANSACTION)
    name = world.rng.choice(names or ("before_begin", "inside", "before_commit", "after_commit"))
    passings = world.rows // 1_000 if name == "inside" else transactions
    return f"publish.{name}:{world.rng.randint(1, passings)}"


def land_point(world: World, *names: str) -> str:
    """One of landing's points, and a passing of it that this slice has."""
    name = world.rng.choice(names or ("before_write", "after_readings", "after_quarantine"))
    return f"land.{name}:{world.rng.randint(1, world.rows // BATCH)}"


def stopped_at(world: World, stage: str, point: str) -> Running:
    """The stage's process, stopped at that point."""
    world.note(f"stopped at {point}")
    return world.start(stage, HEADRACE_STOP_AT=point).await_stop()


def killed_at(world: World, stage: str, point: str) -> list[Outcome]:
    """Have the stage's process killed at that point; it must come to it."""
    world.note(f"killed at {point}")
    outcome = world.start(stage, HEADRACE_CRASH_AT=point).ended()
    assert outcome.code not in {0, 1}, f"it was to be killed at {point}: {outcome}"
    world.struck()
    return [outcome]
