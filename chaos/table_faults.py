"""Faults of what landing has written and been told: lost answers, files that vanish, a wrong index."""

import shutil
from collections.abc import Callable
from pathlib import Path

from chaos.faults import Fault, Strike, killed_at, land_point, of_both_engines, stopped_at
from chaos.tampering import LOST_ANSWER
from chaos.uncommitted import uncommitted
from chaos.world import BATCH, World
from headrace.identities.index import catch_up, folder_of
from headrace.tables.creation import create_tables
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import land_as_they_are
from testbed.parsed_rows import Parsed, parsed
from testbed.stages import Outcome

FEW_BYTES = 10


def _answer_lost(*tables: str) -> Strike:
    """The commit goes through; reading back must find it, without another try."""

    def strike(world: World) -> list[Outcome]:
        asked = f"{world.rng.choice(tables)}:{world.rng.randint(1, world.rows // BATCH)}"
        world.note(f"lost: the answer to commit {asked}")
        lander = world.start("land", **{LOST_ANSWER: asked})
        world.struck()
        return [lander.ended()]

    return strike


def _staged_files_deleted(world: World) -> list[Outcome]:
    """Those of `readings` or of `quarantine`, or both, between staging and commit."""
    lander = stopped_at(world, "land", land_point(world, "after_staging", "after_readings"))
    tables = world.rng.choice([["readings", "quarantine"], ["readings"], ["quarantine"]])
    files = [world.tables / name / file for name in tables for file in uncommitted(world.tables / name)]
    files = files or [world.tables / "quarantine" / file for file in uncommitted(world.tables / "quarantine")]
    assert files, "a batch without a file"
    for file in files:
        if world.rng.random() < 0.8:
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:FEW_BYTES])
    world.note(f"deleted or cut off: {[f'{file.parent.name}/{file.name}' for file in files]}")
    world.struck()
    lander.proceed()
    ended = lander.ended()
    assert ended.error, f"it went on without its files: {ended}"
    assert ended.error.code == "HR405", ended
    return [ended]


def _index_damaged(damage: Callable[[World, Path], None]) -> Strike:
    """A try that lands a part; the index is damaged; what is landed next repeats rows of that part."""

    def strike(world: World) -> list[Outcome]:
        name = world.rng.choice(["after_staging", "after_readings", "after_quarantine"])
        outcomes = killed_at(world, "land", f"land.{name}:{world.rng.randint(2, world.rows // BATCH)}")
        damage(world, folder_of(world.stream.warehouse(world.settings.warehouse_path)))
        world.struck()
        return outcomes

    return strike


def _deleted(world: World, index: Path) -> None:
    world.note(f"deleted: {len(list(index.iterdir()))} files")
    shutil.rmtree(index)


def _truncated(world: World, index: Path) -> None:
    files = sorted(index.iterdir())
    chosen = world.rng.sample(files, world.rng.randint(1, len(files)))
    for file in chosen:
        size = file.stat().st_size
        file.write_bytes(file.read_bytes()[: world.rng.choice([0, FEW_BYTES, size // 2, size - 1])])
    world.note(f"truncated: {[file.name for file in chosen]}")


def _of_another_table(world: World, index: Path) -> None:
    """Of a table of its own that has as many commits, or fewer, or more, with other identities."""
    other = Warehouse(world.folder / "other", world.name)
    other.prepare()
    create_tables(other)
    batches = world.rng.randint(0, 6)
    for batch in range(batches):
        land_as_they_are(other, batch, parsed(*(Parsed(row, identity=f"[{row}]") for row in range(9))))
    catch_up(other)
    shutil.rmtree(index)
    shutil.copytree(folder_of(other), index)
    world.note(f"the index is one of a table with {batches} batches")


TABLE_FAULTS = (
    *of_both_engines(
        Fault(
            "driver's commit answered by an error",
            "land",
            _answer_lost("readings"),
            "a random commit of the driver to `readings` goes through, and it is told that it failed",
        ),
        Fault(
            "driver's later commit answered by an error",
            "land",
            _answer_lost("quarantine", "batches"),
            "the same of the driver's commits to `quarantine` and `batches`",
        ),
        Fault(
            "driver's staged files deleted",
            "land",
            _staged_files_deleted,
            "files of a batch are deleted or cut off before the driver commits them",
        ),
    ),
    *(
        Fault(
            f"identity index {what}",
            "land",
            _index_damaged(damage),
            f"{injected}, between two tries of which the second lands repeats of the first one's rows",
        )
        for what, damage, injected in (
            ("deleted", _deleted, "its folder is deleted"),
            ("truncated", _truncated, "some of its files are cut off"),
            ("of another table", _of_another_table, "it is replaced by one of another table"),
        )
    ),
)
