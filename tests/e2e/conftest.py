"""What the tests of the main job share, in the order in which they run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from headrace.kafka.login import embedded_broker
from headrace.settings import PROJECT
from testbed.pipeline import Pipeline


@pytest.fixture(scope="session")
def idle_run(pipeline: Pipeline, first_run: str) -> str:
    """A second run, for which there is nothing to do; its id, as soon as it runs."""
    return pipeline.start()


@pytest.fixture(scope="session")
def open_transaction(pipeline: Pipeline, first_run: str) -> Producer:
    """Somebody else's transaction in the stream's topic: what comes after its record stays invisible."""
    producer = Producer(
        {
            **embedded_broker(pipeline.settings),
            "transactional.id": "somebody-else",
            "transaction.timeout.ms": 600_000,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("wind_turbine.readings", value=b"never to be seen", partition=0)
    assert producer.flush(30) == 0
    return producer


@pytest.fixture(scope="session")
def republished(pipeline: Pipeline, open_transaction: Producer) -> str:
    """A run that publishes the source once more, behind the open transaction; its id, as soon as it runs."""
    return pipeline.start(republish=True)


@pytest.fixture
def broken_contract(pipeline: Pipeline) -> Iterator[Path]:
    """A contract with a wrong field beside the sound one, gone after the test."""
    text = (PROJECT / "include" / "streams" / "wind_turbine.yaml").read_text("utf-8")
    file = pipeline.settings.streams_path / "broken.yaml"
    file.write_text(
        text.replace("stream: wind_turbine", "stream: broken").replace(
            "partitions: 4", "partitions: <b>many</b>"
        ),
        "utf-8",
    )
    yield file
    file.unlink()
