"""Lag and new records: what the broker has against what the tables have, no consumer group asked."""

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from yaml import safe_load

from headrace.gates.answers import Answers
from headrace.gates.conditions import parse_condition
from headrace.settings import PROJECT
from headrace.tables.batches import append_batch
from local.stack.broker import Broker
from testbed.batch_rows import a_batch
from testbed.streams import Stream, make_stream
from testbed.waiting import until_nothing_is_open

CONTRACT = PROJECT / "include" / "streams" / "wind_turbine.yaml"


@pytest.fixture
def stream(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stream:
    """A stream of four partitions, with two records in the last."""
    monkeypatch.setenv("HEADRACE_STREAMS", str(tmp_path))
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path / "warehouse"))
    made = make_stream(tmp_path, broker.config, safe_load(CONTRACT.read_text("utf-8")))
    produce(made, 2)
    return made


def produce(stream: Stream, records: int) -> None:
    producer = Producer(stream.config)
    for _ in range(records):
        producer.produce(stream.contract.topic.name, value=b"{}", partition=3)
    assert producer.flush(30) == 0
    until_nothing_is_open(stream.config, stream.contract.topic.name)


def check(stream: Stream, kind: str, **fields: Any) -> tuple[bool, str]:
    condition = parse_condition({"kind": kind, "stream": stream.contract.stream, **fields})
    return condition.check(Answers(stream.config))


def test_lag_and_new_records_are_what_is_not_landed(stream: Stream, tmp_path: Path) -> None:
    assert check(stream, "lag_below", offsets=2) == (False, "stream wind_turbine lags by 2 offsets")
    assert check(stream, "lag_below", offsets=3)[0]
    assert check(stream, "new_records", at_least=2) == (
        True,
        "2 offsets of stream wind_turbine are not landed",
    )
    assert not check(stream, "new_records", at_least=3)[0]

    warehouse = stream.warehouse(tmp_path / "warehouse")
    warehouse.prepare()
    append_batch(warehouse, a_batch(0, (3, 0, 2)).model_copy(update={"topic_id": stream.topic_id}))
    assert check(stream, "lag_below", offsets=1) == (True, "stream wind_turbine lags by 0 offsets")
    assert not check(stream, "new_records", at_least=1)[0]
    produce(stream, 1)
    assert check(stream, "new_records", at_least=1)[0]
