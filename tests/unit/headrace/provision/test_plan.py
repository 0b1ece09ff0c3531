"""What is made, changed, refused or left of a topic, and whether it keeps records for long enough."""

from datetime import date, timedelta
from typing import Any

import pytest

from headrace.contract.model import Contract
from headrace.kafka.topics import TopicState
from headrace.provision.coverage import longest_gap
from headrace.provision.plan import Plan, Unlanded, plan_topic
from testbed.parse_cases import contract

CONFIG = {"retention.ms": "-1", "compression.type": "zstd"}


def declared(topic: dict[str, Any] | None = None, **more: Any) -> Contract:
    made = contract().topic.model_dump(mode="json")
    return contract(topic=made | {"partitions": 3, "config": CONFIG} | (topic or {}), **more)


def stands(**more: Any) -> TopicState:
    fields = {"partitions": 3, "replication": 1, "config": CONFIG | {"max.message.bytes": "1"}} | more
    return TopicState(name=declared().topic.name, topic_id="t", **fields)


OWN = {"source": {"kind": "csv", "path": "mill.csv"}}
EXTERNAL = {"source": {"kind": "external"}}
KEYED = {"key": ["at"]}


def planned(
    own: Contract, state: TopicState | None = None, unlanded: Unlanded | None = None
) -> tuple[list[str], Plan]:
    plan = plan_topic(own, stands() if state is None else state, unlanded or Unlanded())
    return list(plan.lines()), plan


def test_an_absent_topic_is_made() -> None:
    plan = plan_topic(declared(**OWN), None, Unlanded())
    assert plan.create
    assert list(plan.lines()) == [f"+ topic {plan.topic}"]


@pytest.mark.parametrize("source", [OWN, EXTERNAL])
def test_a_topic_that_is_as_declared_stays(source: dict[str, Any]) -> None:
    lines, plan = planned(declared(**source))
    assert plan.is_empty
    assert lines == [f"= topic {plan.topic} is as its contract declares"]


def test_values_are_set_and_what_was_set_by_hand_is_named() -> None:
    state = stands(config=CONFIG | {"compression.type": "gzip"}, set_on_topic={"segment.ms", *CONFIG})
    lines, plan = planned(declared(**OWN), state, Unlanded(5, 5))
    assert not plan.refused
    assert lines == [
        f"~ topic {plan.topic}: compression.type gzip -> zstd",
        f"? topic {plan.topic}: segment.ms=None was set by hand: the contract does not name it, it stays",
    ]


def test_partitions_are_added_where_no_key_moves() -> None:
    record = contract().record.model_dump(mode="json")
    keyed, keyless = record | {"key": record["identity"] or ["at"]}, record | {"key": []}
    more = {"partitions": 4}
    assert planned(declared(more, record=keyless, **OWN))[1].partitions == 4
    assert planned(declared(more | {"keys_may_move": True}, record=keyed, **OWN))[1].partitions == 4
    (refused,) = planned(declared(more, record=keyed, **OWN))[1].refused
    assert "has 3 partitions, declared are 4" in refused
    assert "topic.keys_may_move: true" in refused


@pytest.mark.parametrize(
    ("topic", "unlanded", "refused"),
    [
        ({"partitions": 2}, Unlanded(), "never loses any: set topic.partitions: 3"),
        ({"replication": 2}, Unlanded(), "its replication is 1, declared is 2: set topic.replication: 1"),
        (
            {"config": {"retention.ms": "1000"}},
            Unlanded(9, 7),
            "7 offsets that are older than that are not landed",
        ),
        ({"config": {"cleanup.policy": "compact"}}, Unlanded(9, 0), "9 offsets are not landed"),
        ({"config": {"retention.bytes": "1"}}, Unlanded(9, 0), "9 offsets are not landed"),
    ],
)
def test_what_would_lose_records_is_refused(topic: dict[str, Any], unlanded: Unlanded, refused: str) -> None:
    _, plan = planned(declared(topic, **OWN), unlanded=unlanded)
    (said,) = plan.refused
    assert refused in said


@pytest.mark.parametrize("value", ["1000", "-1", "99999999999999999999"])
def test_a_retention_is_changed_where_all_of_it_is_landed_or_kept_longer(value: str) -> None:
    own = declared({"config": {"retention.ms": value}}, **OWN)
    assert not planned(own, stands(config={"retention.ms": "5"}), Unlanded(9, 0))[1].refused
    longer = stands(config={"retention.ms": "500"})
    assert not planned(own, longer, Unlanded(9, 9))[1].refused  # those are older than the present one, too


@pytest.mark.parametrize("topic", [{"partitions": 4}, {"config": {"compression.type": "lz4"}}])
def test_an_external_topic_is_not_changed(topic: dict[str, Any]) -> None:
    record = contract().record.model_dump(mode="json") | {"key": []}
    _, plan = planned(declared(topic, record=record, **EXTERNAL))
    assert "belongs to whoever feeds it" in " ".join(plan.refused)


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        (None, timedelta(0)),
        ("@once", timedelta(0)),
        ("@hourly", timedelta(hours=1)),
        ("*/5 8-17 * * 1-5", timedelta(days=2, hours=14, minutes=5)),
        ("@monthly", timedelta(days=31)),
        ("0 0 29 2 *", date(2104, 2, 29) - date(2096, 2, 29)),
    ],
)
def test_the_longest_gap_of_a_schedule(schedule: str | None, gap: timedelta) -> None:
    assert longest_gap(schedule) == gap


def test_retention_covers_the_schedule_and_the_longest_downtime() -> None:
    week = {"config": {"retention.ms": str(7 * 86_400_000)}}
    down = week | {"longest_downtime": "P3D"}

    def refused(topic: dict[str, Any], **more: Any) -> tuple[str, ...]:
        return plan_topic(declared(topic, **more), None, Unlanded()).refused

    assert not refused(week, schedule="@daily", **EXTERNAL)
    assert not refused(down, schedule="@daily", **EXTERNAL)
    assert not refused(down, schedule="@weekly", **OWN)
    assert not refused(
        {"config": {}, "longest_downtime": "P7D"}, schedule="@weekly", **OWN
    )  # Kafka's default
    (said,) = refused(down, schedule="@weekly", **EXTERNAL)
    assert "runs are up to 7 days, 0:00:00 apart and topic.longest_downtime is 3 days" in said
    assert f"to {10 * 86_400_000} or more" in said
    assert refused({"config": {}, "longest_downtime": "P8D"}, **OWN)
    assert not refused({"config": {"cleanup.policy": "compact"}, "longest_downtime": "P8D"}, **OWN)
