"""Memory that runs out under what lands: the kernel gives no more, or Java has too little from its start."""

from chaos.faults import Fault, land_point, of_both_engines, stopped_at
from chaos.world import SPARK, World
from testbed.stages import Outcome

SPARE = (0, 256 << 20)
"""Bytes that a process may still take, least and most."""


def _no_more_memory(world: World) -> list[Outcome]:
    """The system's answer to every further wish of each process of the tree is ENOMEM."""
    lander = stopped_at(world, "land", land_point(world))
    spare = world.rng.randint(*SPARE)
    lander.limit_memory(spare)
    world.note(f"no more than {spare:,} bytes above what each process has")
    world.struck()
    lander.proceed()
    return [lander.ended()]


def _small_heap(world: World) -> list[Outcome]:
    """Less than Spark itself needs."""
    heap = world.rng.choice(["64m", "200m", "400m"])
    world.note(f"a heap of {heap}")
    driver = world.start("land", SPARK_DRIVER_MEMORY=heap)
    world.struck()
    ended = driver.ended()
    assert ended.code, f"it landed in {heap}"
    return [ended]


MEMORY_FAULTS = (
    *of_both_engines(
        Fault(
            "memory used up while landing",
            "land",
            _no_more_memory,
            "RLIMIT_AS at a random point: each process of the driver may take 0 to 256 MB more than it has",
        ),
    ),
    Fault(
        "driver started with too little memory",
        "land",
        _small_heap,
        "a heap of 64 to 400 MB, where Spark needs 450",
        "a person gives it more; the task's command is repeated",
        engine=SPARK,
    ),
)
