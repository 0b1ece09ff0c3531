"""Plans on a real broker: applied twice, drift put back, nothing changed where something is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from yaml import safe_load

from headrace.contract.model import Contract
from headrace.errors import TopicDiffers
from headrace.kafka.topics import describe_topic, set_config
from headrace.provision.provision import apply_plan, make_plan
from headrace.settings import PROJECT
from headrace.tables.batches import append_batch
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.batch_rows import a_batch
from testbed.streams import Stream, make_stream

DEFINITION = safe_load((PROJECT / "include" / "streams" / "wind_turbine.yaml").read_text("utf-8"))


@pytest.fixture
def stream(broker: Broker, tmp_path: Path) -> Stream:
    return make_stream(tmp_path, broker.config, DEFINITION)


@pytest.fixture
def warehouse(stream: Stream, tmp_path: Path) -> Warehouse:
    made = stream.warehouse(tmp_path / "warehouse")
    made.prepare()
    return made


def declaring(stream: Stream, **topic: Any) -> Contract:
    changed = stream.contract.topic.model_copy(update=topic)
    return stream.contract.model_copy(update={"topic": changed})


def test_a_change_made_by_hand_is_put_back_and_a_second_time_nothing_is_done(
    stream: Stream, warehouse: Warehouse
) -> None:
    name, config = stream.contract.topic.name, stream.config
    set_config(config, name, {"retention.ms": "3600000", "segment.ms": "60000"})
    plan = make_plan(stream.contract, warehouse, config)
    assert list(plan.lines()) == [
        f"~ topic {name}: retention.ms 3600000 -> -1",
        f"? topic {name}: segment.ms=60000 was set by hand: the contract does not name it, it stays",
    ]
    apply_plan(stream.contract, plan, config)
    after = describe_topic(config, name)
    assert (after.config["retention.ms"], after.config["segment.ms"]) == ("-1", "60000")
    again = make_plan(stream.contract, warehouse, config)
    assert again.is_empty
    assert apply_plan(stream.contract, again, config) == after


def test_partitions_are_added_where_keys_may_move(stream: Stream, warehouse: Warehouse) -> None:
    more = declaring(stream, partitions=6, keys_may_move=True)
    assert apply_plan(more, make_plan(more, warehouse, stream.config), stream.config).partitions == 6


def test_a_retention_waits_for_what_is_not_landed_and_nothing_else_is_changed_meanwhile(
    stream: Stream, warehouse: Warehouse
) -> None:
    name, producer = stream.contract.topic.name, Producer(stream.config)
    for age in (timedelta(days=3), timedelta(hours=1)):
        at = int((datetime.now(UTC) - age).timestamp() * 1000)
        producer.produce(name, b"{}", partition=1, timestamp=at)
    assert producer.flush(30) == 0
    kept = {"retention.ms": str(86_400_000), "max.message.bytes": "2000000"}
    day = declaring(stream, config=stream.contract.topic.config | kept)
    before = describe_topic(stream.config, name)
    with pytest.raises(TopicDiffers, match=r"nothing was changed: .* 1 offsets that are older than that"):
        apply_plan(day, make_plan(day, warehouse, stream.config), stream.config)
    assert describe_topic(stream.config, name) == before
    append_batch(warehouse, a_batch(0, (1, 0, 1)).model_copy(update={"topic_id": before.topic_id}))
    after = apply_plan(day, make_plan(day, warehouse, stream.config), stream.config)
    assert kept.items() <= after.config.items()
