"""What has to change for a topic to be as its contract declares it, and what is refused; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from headrace.contract.model import Contract
from headrace.kafka.topics import TopicState
from headrace.provision.coverage import RETENTION, retention, uncovered

REMOVING = {"retention.bytes", "cleanup.policy", "local.retention.ms", "local.retention.bytes"}
"""Config that, beside `retention.ms`, decides which records the broker keeps for readers."""


LOST = (
    "and the broker could remove them before they are. Land them first: trigger a run with the contract "
    "as it was"
)


@dataclass(frozen=True)
class Unlanded:
    """How many offsets are not landed, and how many of them are older than the declared retention."""

    offsets: int = 0
    expired: int = 0


@dataclass(frozen=True)
class Change:
    """One value of a topic's config: what it is, what it is to be."""

    name: str
    before: str | None
    after: str


@dataclass(frozen=True)
class Plan:
    """What `provision_topics` does to one topic.

    `partitions`: how many it is to have, None where that stays. `by_hand`: values that somebody has set on
    the topic and the contract does not name; they are left.
    """

    topic: str
    create: bool = False
    partitions: int | None = None
    config: tuple[Change, ...] = ()
    refused: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the topic is as it is declared."""
        return not (self.create or self.partitions or self.config or self.refused)

    def lines(self) -> Iterator[str]:
        """The plan for a person: `+` is made, `~` changed, `!` refused, `?` was set by hand and stays."""
        if self.create:
            yield f"+ topic {self.topic}"
        if self.partitions:
            yield f"~ topic {self.topic}: {self.partitions} partitions"
        for each in self.config:
            yield f"~ topic {self.topic}: {each.name} {each.before} -> {each.after}"
        for reason in self.refused:
            yield f"! topic {self.topic}: {reason}"
        for value in self.by_hand:
            yield f"? topic {self.topic}: {value} was set by hand: the contract does not name it, it stays"
        if self.is_empty:
            yield f"= topic {self.topic} is as its contract declares"


def plan_topic(contract: Contract, state: TopicState | None, unlanded: Unlanded) -> Plan:
    """The plan for the contract's topic, which is as `state` says, or absent."""
    topic = contract.topic
    refused = list(uncovered(contract, state.config if state else {}))
    if state is None:
        return Plan(topic.name, create=not refused, refused=tuple(refused))
    refused += [*_partitions_refused(contract, state), *_replication_refused(contract, state)]
    changes = []
    for name, after in sorted(topic.config.items()):
        change = Change(name, state.config.get(name), after)
        if change.before != change.after:
            reason = _config_refused(contract, change, unlanded)
            changes += [] if reason else [change]
            refused += [reason] if reason else []
    by_hand = sorted(state.set_on_topic - topic.config.keys())
    return Plan(
        topic.name,
        partitions=topic.partitions if state.partitions < topic.partitions else None,
        config=tuple(changes),
        refused=tuple(refused),
        by_hand=tuple(f"{name}={state.config.get(name)}" for name in by_hand),
    )


def _partitions_refused(contract: Contract, state: TopicState) -> Iterator[str]:
    topic = contract.topic
    if state.partitions > topic.partitions:
        yield (
            f"it has {state.partitions} partitions, declared are {topic.partitions}, and a topic never loses "
            f"any: set topic.partitions: {state.partitions} in the contract"
        )
    if state.partitions < topic.partitions and contract.record.key and not topic.keys_may_move:
        yield (
            f"it has {state.partitions} partitions, declared are {topic.partitions}: with more of them, new "
            "records of a key go to another partition than its older ones, so that their order is lost where "
            f"they meet. Set topic.partitions: {state.partitions} in the contract, or "
            "topic.keys_may_move: true"
        )
    if state.partitions < topic.partitions and contract.own_source is None:
        yield _foreign(f"it has {state.partitions} partitions, declared are {topic.partitions}")


def _replication_refused(contract: Contract, state: TopicState) -> Iterator[str]:
    if state.replication != contract.topic.replication:
        yield (
            f"its replication is {state.replication}, declared is {contract.topic.replication}: set "
            f"topic.replication: {state.replication} in the contract, or move it with "
            "kafka-reassign-partitions.sh"
        )


def _config_refused(contract: Contract, change: Change, unlanded: Unlanded) -> str | None:
    said = f"its {change.name} is {change.before}, declared is {change.after}"
    if contract.own_source is None:
        return _foreign(said)
    if change.name in REMOVING and unlanded.offsets:
        return f"{said}: {unlanded.offsets:,} offsets are not landed, {LOST}"
    if change.name == RETENTION and unlanded.expired and _shorter(change):
        return f"{said}: {unlanded.expired:,} offsets that are older than that are not landed, {LOST}"
    return None


def _foreign(said: str) -> str:
    return (
        f"{said}: an external stream's topic belongs to whoever feeds it, so it is not changed. Set the "
        "contract to what it is, or ask its owner"
    )


def _shorter(change: Change) -> bool:
    before, after = retention(change.before), retention(change.after)
    return after is not None and (before is None or after < before)
