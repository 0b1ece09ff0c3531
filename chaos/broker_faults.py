"""Faults of the broker, alone and together with its clients."""

import threading
from collections.abc import Callable

from chaos.faults import Fault, land_point, of_both_engines, publish_point, stopped_at
from chaos.world import World
from testbed.stages import Outcome
from testbed.waiting import PATIENCE

Point = Callable[..., str]


def _point(world: World, stage: str, *names: str) -> str:
    return publish_point(world, *names) if stage == "publish" else land_point(world, *names)


def _killed_and_back(world: World, stage: str, *names: str) -> list[Outcome]:
    """Killed and started again while the other side is stopped at a point."""
    running = stopped_at(world, stage, _point(world, stage, *names))
    world.broker.kill()
    world.struck()
    world.broker.start(PATIENCE)
    running.proceed()
    return [running.ended()]


def _killed_under(world: World, stage: str, *names: str) -> list[Outcome]:
    """Killed while the other side goes on; started again at once."""
    running = stopped_at(world, stage, _point(world, stage, *names))
    world.broker.kill()
    world.struck()
    running.proceed()
    world.broker.start(PATIENCE)
    return [running.ended()]


def _away_for(seconds: float, world: World, stage: str) -> list[Outcome]:
    """Killed, and back after that time; retries begin meanwhile."""
    running = stopped_at(world, stage, _point(world, stage))
    world.broker.kill()
    world.struck()
    running.proceed()
    outcomes: list[Outcome] = []
    back = threading.Timer(seconds, world.broker.start, [PATIENCE])
    back.start()
    try:
        outcomes.append(running.ended())
        while back.is_alive():
            outcomes.append(world.attempt(stage))
    finally:
        back.join()
    return outcomes


def _power_cut(world: World, stage: str) -> list[Outcome]:
    running = stopped_at(world, stage, _point(world, stage))
    running.kill()
    world.broker.kill()
    world.struck()
    world.broker.start(PATIENCE)
    return [running.ended()]


BROKER_FAULTS = (
    Fault(
        "broker killed while publishing, back at once",
        "publish",
        lambda world: _killed_and_back(world, "publish"),
        "SIGKILL at a random point of the publisher",
    ),
    Fault(
        "broker killed inside a transaction",
        "publish",
        lambda world: _killed_under(world, "publish", "inside", "before_commit"),
        "SIGKILL while a transaction is open, with the publisher running on",
    ),
    Fault(
        "broker away for 30 s while publishing",
        "publish",
        lambda world: _away_for(30, world, "publish"),
        "SIGKILL at a random point of the publisher, start after 30 s",
    ),
    Fault(
        "power cut while publishing",
        "publish",
        lambda world: _power_cut(world, "publish"),
        "SIGKILL of broker and publisher at once",
    ),
    *of_both_engines(
        Fault(
            "broker killed while landing, back at once",
            "land",
            lambda world: _killed_under(world, "land"),
            "SIGKILL at a random point of the driver",
        ),
        Fault(
            "broker away for 30 s while landing",
            "land",
            lambda world: _away_for(30, world, "land"),
            "SIGKILL at a random point of the driver, start after 30 s",
        ),
        Fault(
            "power cut while landing",
            "land",
            lambda world: _power_cut(world, "land"),
            "SIGKILL of broker and driver (JVM and Python) at once",
        ),
    ),
)
