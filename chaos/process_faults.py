"""Faults of the publisher's and the analysis' own processes."""

from chaos.faults import Fault, Strike, killed_at, publish_point, stopped_at, two_at_once
from chaos.world import World
from testbed.stages import Outcome
from testbed.waiting import until_nothing_is_open

FENCED = frozenset({"HR307"})


def _publisher_killed(*points: str) -> Strike:
    return lambda world: killed_at(world, "publish", publish_point(world, *points))


def _publisher_killed_after_the_last_commit(world: World) -> list[Outcome]:
    return killed_at(world, "publish", f"publish.after_commit:{-(-world.rows // 2_000)}")


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


def _two_publishers(world: World) -> list[Outcome]:
    first, second = two_at_once(world, "publish", 1.5)
    return [first.ended(), second.ended()]


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
        _two_publishers,
        "a second one up to 1.5 s after the first",
        "the older one is fenced; the newer goes on",
        FENCED,
    ),
)
