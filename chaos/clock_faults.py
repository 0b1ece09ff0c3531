"""A clock that jumps under one process, by libfaketime, or that differs from its retry's.

The machine's own clock is left alone. A clock that differs from the start is none for libfaketime: waits of
librdkafka's would last as long as the difference.
"""

import os
import sys
import time
from pathlib import Path

from chaos.faults import Fault, killed_at, land_point, of_both_engines, publish_point
from chaos.tampering import CLOCK
from chaos.world import SPARK, World
from testbed.stages import Outcome

CACHED = 2.1
"""Seconds after which libfaketime looks into its file again, whose second is a whole one."""

JUMPS = ("-2d", "-1h", "-5m", "+5m", "+1h", "+2d")


LIBRARY = "CHAOS_LIBFAKETIME"
"""Names the library where the package cannot be installed, but unpacked (`dpkg -x`)."""


def _library() -> Path | None:
    """Where Debian's package `libfaketime` puts it, whatever the machine's architecture."""
    if named := os.environ.get(LIBRARY):
        return Path(named)
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def _sleepless() -> str:
    """The path of modules for a Python under it."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(Path(__file__).with_name("faked_clock")), *([given] if given else [])])


def _lacking() -> str | None:
    return None if _library() else "libfaketime is not installed (Debian: apt install libfaketime)"


def _publisher(world: World) -> list[Outcome]:
    return _jumps(world, "publish", publish_point(world), PYTHONPATH=_sleepless())


def _driver(world: World) -> list[Outcome]:
    # The JVM's clock alone: librdkafka waits until instants of the wall clock, which libfaketime moves away
    # from under a wait that has begun, here by two days.
    python = world.folder / "python"
    python.write_text(f'#!/bin/sh\nunset LD_PRELOAD\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o700)
    return _jumps(world, "land", land_point(world), PYSPARK_DRIVER_PYTHON=str(python))


def _jumps(world: World, stage: str, point: str, **environment: str) -> list[Outcome]:
    clock = world.folder / "clock"
    clock.write_text("+0\n")
    world.note(f"stopped at {point}")
    running = world.start(
        stage,
        HEADRACE_STOP_AT=point,
        LD_PRELOAD=str(_library()),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        # Else every look at the clock reads that file, and a JVM looks all the time.
        FAKETIME_CACHE_DURATION="1",
        # What measures spans of time asks the monotonic clock, which no change of the date moves.
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        # Else libfaketime 0.9.10 takes a wait until a monotonic instant for one that is over: every such
        # wait returns at once, and a JVM's threads spin (12 s of processor time in 4 s for four idle ones).
        FAKETIME_FORCE_MONOTONIC_FIX="0",
        **environment,
    ).await_stop()
    jump = world.rng.choice(JUMPS)
    world.note(f"the clock jumps by {jump}")
    clock.write_text(f"{jump}\n")
    time.sleep(CACHED)
    world.struck()
    running.proceed()
    return [running.ended()]


TAKEN_AHEAD = 3_600
"""Seconds by which a record may be ahead of the broker's clock (`message.timestamp.after.max.ms`)."""


def _two_clocks(world: World, stage: str, point: str) -> list[Outcome]:
    """What a machine with another clock begins, one with the right clock goes on with."""
    seconds = world.rng.choice([-1, 1]) * world.rng.choice([300, 3_600, 2 * 86_400])
    world.note(f"a clock that differs by {seconds} seconds")
    if stage == "publish" and seconds > TAKEN_AHEAD:
        return [_refused_by_broker(world, seconds)]
    return killed_at(world, stage, point, **{CLOCK: str(seconds)})


def _refused_by_broker(world: World, seconds: int) -> Outcome:
    """The broker takes no record of such a clock, so that the publisher comes to no later point."""
    outcome = world.start("publish", **{CLOCK: str(seconds)}).ended()
    world.struck()
    assert outcome.error, outcome
    assert outcome.error.code == "HR306", outcome
    return outcome


def _two_publishers(world: World) -> list[Outcome]:
    """The file is a longer one by then: which publication is the newer one, clocks cannot say."""
    outcomes = _two_clocks(world, "publish", publish_point(world))
    if world.rng.random() < 0.5:
        world.grow(world.rng.randint(1, 2_000))
    return outcomes


CLOCK_FAULTS = (
    Fault(
        "two clocks while publishing",
        "publish",
        _two_publishers,
        "SIGKILL of a publisher whose clock differs by 5 minutes to 2 days, or the broker's refusal where it "
        "is ahead by more than an hour; the retry's is right, and the source may be longer by then",
        comes_again=True,
    ),
    *of_both_engines(
        Fault(
            "two clocks while landing",
            "land",
            lambda world: _two_clocks(world, "land", land_point(world)),
            "SIGKILL of a driver whose clock differs by 5 minutes to 2 days; the retry's is right",
        ),
    ),
    Fault(
        "clock jumps while publishing",
        "publish",
        _publisher,
        "the publisher's clock jumps by 5 minutes to 2 days, back or forth, at a random point",
        lacking=_lacking,
    ),
    Fault(
        "clock jumps while landing",
        "land",
        _driver,
        "the clock of the driver's JVM jumps by 5 minutes to 2 days, back or forth, at a random point",
        engine=SPARK,
        lacking=_lacking,
    ),
)
