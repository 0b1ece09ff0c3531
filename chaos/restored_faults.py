"""Faults of a backup: tables, or the broker's whole disk, put back to an earlier moment."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from deltalake import DeltaTable

from chaos.faults import Fault, Strike, killed_at, publish_point
from chaos.world import BATCHES, World
from headrace.cli.console import CONNECTION
from headrace.errors import BrokerUnreachable
from headrace.kafka.topics import log_end
from headrace.settings import PROJECT
from testbed.stages import Outcome
from testbed.waiting import PATIENCE, awaited

# -- tables


def _restored(table: str) -> Strike:
    """By Delta's own restore, to a random version, after a whole landing or one that was killed."""

    def strike(world: World) -> list[Outcome]:
        outcomes: list[Outcome] = []
        if world.rng.random() < 0.5:
            name = world.rng.choice(["before_write", "after_readings", "after_quarantine"])
            outcomes = killed_at(world, "land", f"land.{name}:{BATCHES}")
        else:
            assert world.repeat("land")
            world.another_run()
        _restore(
            world, table, by=2
        )  # by one it is what a killed landing leaves: a batch that is open, or none
        return outcomes

    return strike


def _gold_restored(world: World) -> list[Outcome]:
    assert world.repeat("analyse")
    world.grow(1_000)
    world.another_run()
    assert all(map(world.repeat, ("publish", "land", "analyse")))
    _restore(world, world.rng.choice(["daily_completeness", "hourly_average"]), by=1)
    world.another_run()
    return []


def _restore(world: World, table: str, by: int) -> None:
    """To a version that is `by` commits older, or more."""
    delta = DeltaTable(str(world.tables / table))
    newest = delta.version()
    earlier = world.rng.randrange(newest - by + 1)
    delta.restore(earlier)
    world.note(f"`{table}` is as it was at version {earlier} of {newest}")
    world.struck()


def _restore_all(world: World, _: Outcome) -> None:
    environment = {
        **world.whole_environment,
        "HEADRACE_STREAMS": str(world.contracts),
        CONNECTION: json.dumps({"conn_type": "kafka", "extra": world.config}),
    }
    command = [sys.executable, "-m", "headrace", "restore", world.name, "--yes"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    world.note(f"headrace restore: {done.returncode}, {(done.stdout + done.stderr).strip()[-500:]}")


# -- the broker's disk


def _whole(world: World) -> None:
    assert all(map(world.repeat, ("publish", "land")))


def _published(world: World) -> None:
    assert world.repeat("publish")


def _nothing(_: World) -> None:
    """All is as before."""


def _grown(world: World) -> None:
    world.grow(world.rng.randint(1, 2_000))


def _broker_restored(
    point: Callable[[World], str], since: Callable[[World], None], then: Callable[[World], None]
) -> Strike:
    """The disk is as it was at that point of a publication, which was finished and landed since."""

    def strike(world: World) -> list[Outcome]:
        outcomes = killed_at(world, "publish", point(world))
        data, backup = world.broker.folder / "data", world.folder / "backup"
        world.broker.stop()
        shutil.copytree(data, backup)
        world.broker.start(PATIENCE)
        since(world)
        topic = world.stream.contract.topic.name
        ends = log_end(world.config, topic)
        world.broker.kill()
        shutil.rmtree(data)
        backup.rename(data)
        world.broker.start(PATIENCE)
        awaited(lambda: settled(world), every=0.2)
        world.note(f"the topic ended at {ends}, and ends at {log_end(world.config, topic)}")
        world.struck()
        world.another_run()
        then(world)
        return outcomes

    return strike


def settled(world: World) -> bool:
    """Whether the broker answers for the whole topic, and nothing in it is open."""
    topic = world.stream.contract.topic.name
    with suppress(BrokerUnreachable):  # for a moment it does not know the epochs that it has told
        return log_end(world.config, topic) == log_end(world.config, topic, committed=False)
    return False


def _any_point(world: World) -> str:
    return publish_point(world, "before_begin")


def accept_and_republish(world: World, _: Outcome) -> None:
    """A person's word on what the broker has lost."""
    world.another_run(accept_loss=True, republish=True)


def _republish(world: World, _: Outcome) -> None:
    world.another_run(republish=True)


TABLES_BACK = "a person gives `headrace restore`, and clears the task"
LOG_BACK = "a person triggers a run with accept_loss and republish"

RESTORED_FAULTS = (
    *(
        Fault(
            f"table {table} restored",
            "land",
            _restored(table),
            f"Delta's restore of `{table}` to a random earlier version, after a landing or a killed one",
            TABLES_BACK,
            ways_out={"HR408": _restore_all},
        )
        for table in ("readings", "quarantine", "batches")
    ),
    Fault(
        "gold table restored",
        "analyse",
        _gold_restored,
        "Delta's restore of a gold table to a random earlier version",
        "the next run makes it anew",
    ),
    Fault(
        "broker's disk restored",
        "publish",
        _broker_restored(_any_point, _whole, _nothing),
        "the broker's data is as it was inside the publication, which was landed since",
        LOG_BACK,
        ways_out={"HR309": accept_and_republish},
        comes_again=True,
    ),
    Fault(
        "broker's disk restored, and the file grown",
        "publish",
        _broker_restored(_any_point, _whole, _grown),
        "the same, and the source has more rows by then",
        LOG_BACK,
        ways_out={"HR309": accept_and_republish},
        comes_again=True,
    ),
    *(
        Fault(
            f"broker's disk restored before landing{more}",
            "publish",
            _broker_restored(_any_point, _published, then),
            f"the same, and nothing of it was landed{injected}",
            "a person triggers a run with republish",
            ways_out={"HR308": _republish},
            comes_again=True,
        )
        for more, injected, then in (
            ("", "", _nothing),
            (", and the file grown", ", and the source has more rows by then", _grown),
        )
    ),
)
