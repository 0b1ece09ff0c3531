"""Faults of the publisher's and the driver's own processes."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import psutil

from chaos.faults import Fault, Strike, killed_at, land_point, publish_point, stopped_at
from chaos.processes import Missed, Running
from chaos.world import World
from testbed.stages import Outcome
from testbed.waiting import awaited, until_nothing_is_open

FENCED = frozenset({"HR307"})


def _publisher_killed(*points: str) -> Strike:
    return lambda world: killed_at(world, "publish", publish_point(world, *points))


def _publisher_killed_after_the_last_commit(world: World) -> list[Outcome]:
    return killed_at(world, "publish", f"publish.after_commit:{-(-world.rows // 2_000)}")


def _driver_killed(*points: str) -> Strike:
    return lambda world: killed_at(world, "land", land_point(world, *points))


def _analyse_killed(passing: int) -> Strike:
    return lambda world: killed_at(world, "analyse", f"analyse.between_tables:{passing}")


def _paused_publisher(world: World) -> list[Outcome]:
    """Stopped until the broker has aborted its transaction and its retry has one open; then continued."""
    world.config |= {"transaction.timeout.ms": 2_000, "message.timeout.ms": 2_000}
    first = stopped_at(world, "publish", publish_point(world, "inside", "before_commit"))
    world.struck()
    # The broker looks for transactions that are too old every 10 seconds.
    until_nothing_is_open(world.config, world.stream.contract.topic.name)
    world.config |= {"transaction.timeout.ms": 60_000, "message.timeout.ms": 45_000}
    second = stopped_at(world, "publish", "publish.before_commit:1")
    first.proceed()
    outcomes = [first.ended()]
    second.proceed()
    return [*outcomes, second.ended()]


def _two_at_once(stage: str, apart: float) -> Strike:
    def strike(world: World) -> list[Outcome]:
        delay = world.rng.uniform(0, apart)
        world.note(f"the second {delay:.2f} s after the first")
        first = world.start(stage)
        threading.Event().wait(delay)
        second = world.start(stage)
        world.struck()
        return [first.ended(), second.ended()]

    return strike


def _driver_killed_at_random(world: World) -> list[Outcome]:
    """All of it, at any moment after it has the stream's lock, or when it has ended before."""
    delay = world.rng.uniform(0, 15)
    world.note(f"killed {delay:.2f} s after it had the lock")
    driver = world.start("land")
    awaited(lambda: (world.tables / "_writer.json").exists() or not driver.alive)
    with suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
        driver.first.wait(delay)
    driver.kill()
    world.struck()
    return [driver.ended()]


def _driver_killed_while_it_makes_tables(world: World) -> list[Outcome]:
    """All of it, as soon as the first table has a folder."""
    driver = world.start("land")
    log = world.tables / "readings" / "_delta_log"
    awaited(lambda: log.exists() or not driver.alive, every=0.001)
    driver.kill()
    world.struck()
    world.note(f"left behind: {sorted(file.name for file in log.rglob('*'))}")
    return [driver.ended()]


def _frozen_with_uncommitted_files(world: World, driver: Running, table: Path) -> None:
    """Stop the JVM while `table` has a data file that no commit names.

    Raises:
        Missed: every batch came through before it could be stopped.
    """
    known: set[str] = set()
    skip = world.rng.randint(0, 1)
    while driver.alive:
        for file in set(_data_files(table)) - known:
            known.add(file)
            if skip:
                skip -= 1
                continue
            os.kill(driver.first.pid, signal.SIGSTOP)
            if file not in _committed(table):
                world.note(f"stopped with {file} not committed")
                return
            os.kill(driver.first.pid, signal.SIGCONT)
    raise Missed(f"no batch was caught between its files and its commit: {driver.ended()}")


def _data_files(table: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return [entry.name for entry in os.scandir(table) if entry.name.endswith(".parquet")]
    return []


def _committed(table: Path) -> str:
    return "".join(file.read_text("utf-8") for file in (table / "_delta_log").glob("*.json"))


def _driver_killed_between_files_and_commit(world: World) -> list[Outcome]:
    driver = world.start("land")
    _frozen_with_uncommitted_files(world, driver, world.tables / "readings")
    driver.kill()
    world.struck()
    return [driver.ended()]


def _zombie_jvm(world: World) -> list[Outcome]:
    """The JVM hangs in a commit, its Python is killed; it goes on while the retry lands the same batch."""
    zombie = world.start("land")
    _frozen_with_uncommitted_files(world, zombie, world.tables / "readings")
    zombie.python().kill()
    world.struck()
    retry = stopped_at(world, "land", world.rng.choice(["land.before_write:1", "land.after_readings:1"]))
    zombie.proceed()
    first = zombie.ended()
    retry.proceed()
    return [first, retry.ended()]


PROCESS_FAULTS = (
    Fault(
        "publisher killed before begin",
        "publish",
        _publisher_killed("before_begin"),
        "SIGKILL before a random transaction",
    ),
    Fault(
        "publisher killed inside",
        "publish",
        _publisher_killed("inside"),
        "SIGKILL inside a random transaction",
    ),
    Fault(
        "publisher killed before commit",
        "publish",
        _publisher_killed("before_commit"),
        "SIGKILL between flush and commit",
    ),
    Fault(
        "publisher killed after commit",
        "publish",
        _publisher_killed("after_commit"),
        "SIGKILL after a random commit",
    ),
    Fault(
        "publisher killed before publications",
        "publish",
        _publisher_killed_after_the_last_commit,
        "SIGKILL after the last commit",
    ),
    Fault(
        "driver killed while it makes the tables",
        "land",
        _driver_killed_while_it_makes_tables,
        "SIGKILL of JVM and Python as soon as the first table has a folder",
    ),
    Fault(
        "driver killed before write",
        "land",
        _driver_killed("before_write"),
        "SIGKILL before a random batch is written",
    ),
    Fault(
        "driver killed between files and commit",
        "land",
        _driver_killed_between_files_and_commit,
        "SIGKILL while a data file stands in no commit",
    ),
    Fault(
        "driver killed after readings",
        "land",
        _driver_killed("after_readings"),
        "SIGKILL after a random batch's `readings`",
    ),
    Fault(
        "driver killed after quarantine",
        "land",
        _driver_killed("after_quarantine"),
        "SIGKILL before a random batch's row in `batches`",
    ),
    Fault(
        "driver killed at random",
        "land",
        _driver_killed_at_random,
        "SIGKILL of JVM and Python, up to 15 s after it has the lock",
    ),
    Fault(
        "driver's JVM goes on without its Python",
        "land",
        _zombie_jvm,
        "JVM stopped before its commit, Python killed, JVM continued beside the retry",
    ),
    Fault(
        "analyse killed between tables",
        "analyse",
        _analyse_killed(1),
        "SIGKILL after the first gold table",
    ),
    Fault(
        "analyse killed after tables",
        "analyse",
        _analyse_killed(2),
        "SIGKILL after both gold tables",
    ),
    Fault(
        "publisher paused past its time-out",
        "publish",
        _paused_publisher,
        "SIGSTOP until the broker aborts, SIGCONT once the retry has a transaction open",
        "the paused one is fenced; the retry goes on",
        FENCED,
    ),
    Fault(
        "two publishers at once",
        "publish",
        _two_at_once("publish", 1.5),
        "a second one up to 1.5 s after the first",
        "the older one is fenced; the newer goes on",
        FENCED,
    ),
    Fault(
        "two drivers at once",
        "land",
        _two_at_once("land", 4),
        "a second one up to 4 s after the first",
    ),
)
