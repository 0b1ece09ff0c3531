"""Faults of what a process stands on: its checkpoint, its warehouse, its disk."""

import shutil
from pathlib import Path

from chaos.faults import Fault, land_point, of_both_engines, publish_point, stopped_at
from chaos.world import SPARK, World
from testbed.stages import Outcome

ONE_FILE = 1_000
"""Bytes; every data file and every log entry is larger."""


def _checkpoint(world: World) -> Path:
    return world.settings.home_path / "scratch" / world.name


def _checkpoint_deleted(world: World) -> list[Outcome]:
    driver = stopped_at(world, "land", land_point(world))
    shutil.rmtree(_checkpoint(world))
    world.struck()
    driver.proceed()
    return [driver.ended()]


def _checkpoint_truncated(world: World) -> list[Outcome]:
    driver = stopped_at(world, "land", land_point(world))
    files = [file for file in _checkpoint(world).rglob("*") if file.is_file()]
    for file in files:
        file.write_bytes(file.read_bytes()[: world.rng.randint(0, 10)])
    world.note(f"truncated {len(files)} files")
    world.struck()
    driver.proceed()
    return [driver.ended()]


def _warehouse_replaced(world: World, stage: str, point: str) -> list[Outcome]:
    running = stopped_at(world, stage, point)
    folder = world.tables
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("not a folder")
    world.struck()
    running.proceed()
    outcomes = [running.ended()]
    if world.rng.random() < 0.5:
        outcomes.append(world.attempt(stage))
    folder.unlink()
    aside.rename(folder)
    return outcomes


def _disk_full(world: World, stage: str, point: str) -> list[Outcome]:
    running = stopped_at(world, stage, point)
    running.limit_files(ONE_FILE)
    world.struck()
    running.proceed()
    return [running.ended()]


def _disk_full_at_start(world: World) -> list[Outcome]:
    publisher = world.start("publish")
    publisher.limit_files(ONE_FILE)
    world.struck()
    return [publisher.ended()]


PUT_BACK = "a person puts the folder back; the task's command is repeated"

PLACE_FAULTS = (
    Fault(
        "checkpoint deleted",
        "land",
        _checkpoint_deleted,
        "the scratch checkpoint is removed under a running query",
        engine=SPARK,
    ),
    Fault(
        "checkpoint truncated",
        "land",
        _checkpoint_truncated,
        "each of its files is cut to at most 10 bytes under a running query",
        engine=SPARK,
    ),
    Fault(
        "warehouse replaced by a file while publishing",
        "publish",
        lambda world: _warehouse_replaced(world, "publish", publish_point(world)),
        "the stream's folder is moved away and a file put there",
        PUT_BACK,
        frozenset({"HR404"}),
    ),
    Fault(
        "disk full when the publisher starts",
        "publish",
        _disk_full_at_start,
        "RLIMIT_FSIZE of 1,000 bytes from its start",
    ),
    Fault(
        "disk full while publishing",
        "publish",
        lambda world: _disk_full(world, "publish", publish_point(world)),
        "RLIMIT_FSIZE of 1,000 bytes from a random point",
    ),
    *of_both_engines(
        Fault(
            "warehouse replaced by a file while landing",
            "land",
            lambda world: _warehouse_replaced(world, "land", land_point(world)),
            "the stream's folder is moved away and a file put there",
            PUT_BACK,
            frozenset({"HR404"}),
        ),
        Fault(
            "disk full while landing",
            "land",
            lambda world: _disk_full(world, "land", land_point(world)),
            "RLIMIT_FSIZE of 1,000 bytes for the whole driver from a random point",
        ),
    ),
)
