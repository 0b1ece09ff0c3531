"""Faults of a table's log: its newest commit torn, as a power cut leaves a file that is not whole on disk."""

import re
from pathlib import Path

from chaos.faults import Fault, Strike, killed_at, of_both_engines
from chaos.world import BATCHES, World
from headrace.tables.commits import log_file, newest_version
from testbed.stages import Outcome

NAMED = re.compile(r"\[HR407\] (/.+?\.json): ")


def _torn(stage: str, table: str, point: str, passings: tuple[int, int]) -> Strike:
    """Killed at the point at which the table's newest commit is the newest of all; that one is cut."""

    def strike(world: World) -> list[Outcome]:
        first, last = passings
        outcomes = killed_at(world, stage, f"{point}:{world.rng.randint(first, last)}")
        path = world.tables / table
        _tear(world, log_file(path, newest_version(path)))
        return outcomes

    return strike


def _tear(world: World, commit: Path) -> None:
    """To nothing, anywhere, or right behind one of its lines, where what is left can all be read."""
    whole = commit.read_bytes()
    ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
    size = world.rng.choice(
        [0, world.rng.randrange(len(whole) - 1), world.rng.choice(ends) + world.rng.randint(0, 1)]
    )
    if world.rng.random() < 0.25:  # the file has its length, and not its content
        commit.write_bytes(bytes(len(whole)))
        world.note(f"{commit}: {len(whole)} bytes of nothing")
    else:
        commit.write_bytes(whole[:size])
        world.note(f"{commit}: {size} of {len(whole)} bytes")


def _remove(world: World, refused: Outcome) -> None:
    """The file that the message names."""
    assert refused.error
    named = NAMED.match(refused.error.message)
    assert named, refused
    world.note(f"removed: {named[1]}")
    Path(named[1]).unlink()


REMOVED = "a person removes the file that the message names; the task's command is repeated"


def _fault(name: str, stage: str, strike: Strike, injected: str) -> Fault:
    return Fault(name, stage, strike, injected, REMOVED, ways_out={"HR407": _remove})


TORN_FAULTS = (
    *of_both_engines(
        *(
            _fault(
                f"driver's newest commit to {table} torn",
                "land",
                _torn("land", table, point, passings),
                f"SIGKILL of the driver; the newest file in the log of `{table}` is cut at a random place",
            )
            for table, point, passings in (
                ("readings", "land.after_readings", (1, BATCHES)),
                ("quarantine", "land.after_quarantine", (1, BATCHES)),
                ("batches", "land.before_write", (2, BATCHES)),
            )
        )
    ),
    _fault(
        "publisher's newest commit to publications torn",
        "publish",
        _torn("publish", "publications", "publish.before_begin", (1, 2)),
        "SIGKILL of the publisher; the newest file in the log of `publications` is cut at a random place",
    ),
    *(
        _fault(
            f"newest commit to {table} torn",
            "analyse",
            _torn("analyse", table, "analyse.between_tables", (passing, passing)),
            f"SIGKILL of `analyse`; the newest file in the log of `{table}` is cut at a random place",
        )
        for table, passing in (("daily_completeness", 1), ("hourly_average", 2))
    ),
)
