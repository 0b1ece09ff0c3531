"""Faults of what a stream stands on: home, warehouse and source, lost under its stages or between runs."""

import shutil
from collections.abc import Callable

from chaos.faults import Fault, Strike, killed_at, land_point, of_both_engines, publish_point, stopped_at
from chaos.world import World
from testbed.stages import Outcome

Lose = Callable[[World], None]


def _home(world: World) -> None:
    """Spool and scratch: whatever HEADRACE_HOME holds of a stream."""
    world.note(f"lost: {sorted(each.name for each in world.settings.home_path.iterdir())} of the home")
    shutil.rmtree(world.settings.home_path)


def _warehouse(world: World) -> None:
    world.note(f"lost: {sorted(each.name for each in world.tables.iterdir())} of the warehouse")
    shutil.rmtree(world.settings.warehouse_path)


def _after_a_kill(lose: Lose, *points: str) -> Strike:
    """The publisher is killed, and what it stands on is gone before its retry."""

    def strike(world: World) -> list[Outcome]:
        outcomes = killed_at(world, "publish", publish_point(world, *points))
        lose(world)
        return outcomes

    return strike


def _under_it(lose: Lose) -> Strike:
    """What landing stands on is taken away while it works."""

    def strike(world: World) -> list[Outcome]:
        lander = stopped_at(world, "land", land_point(world))
        world.settings.home_path.mkdir(exist_ok=True)
        lose(world)
        world.struck()
        lander.proceed()
        return [lander.ended()]

    return strike


def _home_and_source(world: World) -> list[Outcome]:
    """A half-published source whose copy is gone, and which is a longer file by then."""
    outcomes = killed_at(world, "publish", publish_point(world, "before_commit", "inside", "after_commit"))
    _home(world)
    world.grow(world.rng.randint(1, 2_000))
    return outcomes


def _between_runs(world: World) -> list[Outcome]:
    """All is landed; the next run finds no table."""
    assert world.repeat("land")
    world.struck()
    _warehouse(world)
    world.another_run()
    return [world.attempt("publish")]


LOSS_FAULTS = (
    Fault(
        "home lost while publishing",
        "publish",
        _after_a_kill(_home),
        "SIGKILL of the publisher at a random point; its home with the spool is gone before the retry",
    ),
    Fault(
        "home lost while publishing, and the file grown",
        "publish",
        _home_and_source,
        "the same, and the source has more rows by then",
        comes_again=True,
    ),
    Fault(
        "warehouse lost while publishing",
        "publish",
        _after_a_kill(_warehouse),
        "SIGKILL of the publisher at a random point; all tables are gone before the retry",
    ),
    Fault(
        "warehouse lost between two runs",
        "land",
        _between_runs,
        "all tables are gone after the first run; the broker has the topic still",
        "the next run lands the topic from its start",
    ),
    *of_both_engines(
        Fault(
            "home lost while landing",
            "land",
            _under_it(_home),
            "the home, with the driver's scratch, is removed under the driver at a random point",
        ),
        Fault(
            "warehouse lost while landing",
            "land",
            _under_it(_warehouse),
            "all tables are removed under the driver at a random point",
        ),
    ),
)
