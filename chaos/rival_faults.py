"""Faults of two processes that land one stream: one writer by the lock, and one winner without it."""

from chaos.faults import Fault, Strike, land_point, of_both_engines, stopped_at, two_at_once
from chaos.landing_faults import frozen_while_it_stages
from chaos.tampering import UNLOCKED
from chaos.world import SPARK, WORKER, World
from testbed.stages import Outcome

APART = {SPARK: 4.0, WORKER: 0.5}
NO_LOCK = {UNLOCKED: "yes"}


def _two_at_once(world: World) -> list[Outcome]:
    first, second = two_at_once(world, "land", APART[world.engine])
    return _rivals(world, [first.ended(), second.ended()], "HR401")


def _two_without_lock(world: World) -> list[Outcome]:
    first, second = two_at_once(world, "land", APART[world.engine], **NO_LOCK)
    return _rivals(world, [first.ended(), second.ended()], "HR402")


def _paused_beside_its_retry(world: World) -> list[Outcome]:
    """One is stopped at a point of a batch, taken for dead, and continued beside or after its retry."""
    paused = stopped_at(world, "land", land_point(world), **NO_LOCK)
    world.struck()
    if world.rng.random() < 0.5:
        retry = world.start("land", **NO_LOCK)
        outcomes = [retry.ended()]
        paused.proceed()
        outcomes.append(paused.ended())
    else:
        name = world.rng.choice(["before_write", "after_staging", "after_readings"])
        retry = stopped_at(world, "land", f"land.{name}:1", **NO_LOCK)
        paused.proceed()
        outcomes = [paused.ended()]
        retry.proceed()
        outcomes.append(retry.ended())
    return _rivals(world, outcomes, "HR402")


def _zombie_jvm(**environment: str) -> Strike:
    """The JVM hangs while it stages, its Python is killed; it goes on while the retry lands that batch."""

    def strike(world: World) -> list[Outcome]:
        zombie = world.start("land", **environment)
        frozen_while_it_stages(world, zombie)
        zombie.python().kill()
        world.struck()
        name = world.rng.choice(["before_write", "after_staging", "after_readings"])
        retry = stopped_at(world, "land", f"land.{name}:1", **environment)
        zombie.proceed()
        first = zombie.ended()
        retry.proceed()
        return [first, retry.ended()]

    return strike


def _rivals(world: World, outcomes: list[Outcome], lost: str) -> list[Outcome]:
    """Whoever has lost says so, with the code that it must have, and another try may help."""
    for outcome in outcomes:
        world.note(f"a rival: {outcome}")
        if outcome.code:
            assert outcome.error, outcome.output[-2000:]
            assert (outcome.error.code, outcome.error.transient) == (lost, True), outcome
    return outcomes


RIVAL_FAULTS = (
    *of_both_engines(
        Fault(
            "two drivers at once",
            "land",
            _two_at_once,
            "a second driver a moment after the first",
        ),
        Fault(
            "no lock: two drivers at once",
            "land",
            _two_without_lock,
            "a second driver a moment after the first, the stream's lock switched off",
            "the driver that loses a batch ends with HR402; its command is repeated",
        ),
        Fault(
            "no lock: paused driver beside its retry",
            "land",
            _paused_beside_its_retry,
            "SIGSTOP inside a batch, SIGCONT beside or after the driver's retry, the lock switched off",
            "the driver that loses the batch ends with HR402; its command is repeated",
        ),
    ),
    Fault(
        "driver's JVM goes on without its Python",
        "land",
        _zombie_jvm(),
        "JVM stopped while its executors stage, its Python, which would commit, killed; JVM continued beside "
        "the retry",
        engine=SPARK,
    ),
    Fault(
        "no lock: driver's JVM goes on without its Python",
        "land",
        _zombie_jvm(**NO_LOCK),
        "the same with the lock switched off",
        engine=SPARK,
    ),
)
