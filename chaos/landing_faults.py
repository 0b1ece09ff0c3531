"""Faults of the processes that land: killed at every point, by either engine and by both in turn."""

import os
import signal
from contextlib import suppress

import psutil

from chaos.faults import Fault, Strike, killed_at, land_point, of_both_engines, stopped_at
from chaos.processes import Running
from chaos.uncommitted import await_uncommitted, uncommitted
from chaos.world import SPARK, WORKER, World
from testbed.stages import Outcome
from testbed.waiting import awaited

MOST_SECONDS = {SPARK: 15.0, WORKER: 1.5}
"""How long a landing takes about, from the moment that it has the lock."""


def _killed(*points: str) -> Strike:
    return lambda world: killed_at(world, "land", land_point(world, *points))


def _killed_at_random(world: World) -> list[Outcome]:
    """All of it, at any moment after it has the stream's lock, or when it has ended before."""
    delay = world.rng.uniform(0, MOST_SECONDS[world.engine])
    world.note(f"killed {delay:.2f} s after it had the lock")
    lander = world.start("land")
    awaited(lambda: (world.tables / "_writer.json").exists() or not lander.alive)
    with suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
        lander.first.wait(delay)
    lander.kill()
    world.struck()
    return [lander.ended()]


def _killed_while_it_makes_tables(world: World) -> list[Outcome]:
    """All of it, as soon as the first table has a folder."""
    lander = world.start("land")
    log = world.tables / "readings" / "_delta_log"
    awaited(lambda: log.exists() or not lander.alive, every=0.001)
    lander.kill()
    world.struck()
    world.note(f"left behind: {sorted(file.name for file in log.rglob('*'))}")
    return [lander.ended()]


def _killed_while_it_stages(world: World) -> list[Outcome]:
    """All of it, as soon as a random file of rows is begun."""
    lander = world.start("land")
    table = world.tables / world.rng.choice(["readings", "quarantine"])
    await_uncommitted(lander, table, skip=world.rng.randint(0, 2))
    lander.kill()
    world.struck()
    world.note(f"left behind: {sorted(uncommitted(table))} of {table.name}")
    return [lander.ended()]


def frozen_while_it_stages(world: World, driver: Running) -> None:
    """Stop the JVM while `readings` has a file that no commit names: its Python waits for the answer."""
    table = world.tables / "readings"
    skip = world.rng.randint(0, 1)
    while True:
        await_uncommitted(driver, table, skip)
        os.kill(driver.first.pid, signal.SIGSTOP)
        if left := uncommitted(table):
            world.note(f"the JVM is stopped with {sorted(left)} not committed")
            return
        os.kill(driver.first.pid, signal.SIGCONT)
        skip = 0


def _executor_killed(world: World) -> list[Outcome]:
    """The executors' Python alone: before it has written anything, or with its answer on the way."""
    driver = world.start("land")
    if world.rng.random() < 0.5:
        awaited(lambda: len(driver.executors()) > 1 or not driver.alive, every=0.001)
    else:
        frozen_while_it_stages(world, driver)
    killed = driver.executors()
    for process in killed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    world.struck()
    world.note(f"killed {len(killed)} processes")
    driver.proceed()
    return [driver.ended()]


def _both_in_turn(world: World) -> list[Outcome]:
    """Each engine is killed inside its first batch, and the other heals what it left and goes on."""
    engines = world.rng.sample([SPARK, WORKER], 2)
    outcomes: list[Outcome] = []
    for turn in range(3):
        world.engine = engines[turn % 2]
        name = world.rng.choice(["before_write", "after_staging", "after_readings", "after_quarantine"])
        world.note(f"{world.engine}:")
        outcomes += killed_at(world, "land", f"land.{name}:1")
    world.engine = engines[1]
    return outcomes


def _stopped_and_continued(world: World) -> list[Outcome]:
    """The machine sleeps in the middle of a batch, and wakes."""
    lander = stopped_at(world, "land", land_point(world))
    with suppress(psutil.TimeoutExpired):
        lander.first.wait(world.rng.uniform(1, 5))
    world.struck()
    lander.proceed()
    return [lander.ended()]


LANDING_FAULTS = (
    *of_both_engines(
        Fault(
            "driver killed while it makes the tables",
            "land",
            _killed_while_it_makes_tables,
            "SIGKILL of the driver as soon as the first table has a folder",
        ),
        Fault(
            "driver killed before write",
            "land",
            _killed("before_write"),
            "SIGKILL of the driver before a random batch is staged",
        ),
        Fault(
            "driver killed while it stages",
            "land",
            _killed_while_it_stages,
            "SIGKILL of the driver, with its executors, as soon as a random file of rows is begun",
        ),
        Fault(
            "driver killed between staging and commit",
            "land",
            _killed("after_staging"),
            "SIGKILL of the driver when a random batch's files are written and no commit lists them",
        ),
        Fault(
            "driver killed after readings",
            "land",
            _killed("after_readings"),
            "SIGKILL of the driver after a random batch's `readings`",
        ),
        Fault(
            "driver killed after quarantine",
            "land",
            _killed("after_quarantine"),
            "SIGKILL of the driver before a random batch's row in `batches`",
        ),
        Fault(
            "driver killed at random",
            "land",
            _killed_at_random,
            "SIGKILL of the driver at any moment after it has the lock",
        ),
        Fault(
            "driver stopped and continued",
            "land",
            _stopped_and_continued,
            "SIGSTOP of the driver at a random point, SIGCONT up to 5 s later",
        ),
    ),
    Fault(
        "executor's Python killed while it stages",
        "land",
        _executor_killed,
        "SIGKILL of the Python processes that Spark started for its tasks",
        engine=SPARK,
    ),
    Fault(
        "both engines in turn on one stream",
        "land",
        _both_in_turn,
        "three tries, by Spark and the worker in turn, each killed inside its first batch",
        "the other engine finishes the batch and goes on",
    ),
)
