"""Publishers and brokers that die, progress that is lost, rivals: no row is lost, none is published twice."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Message, Producer, TopicPartition

from headrace.errors import BrokerUnreachable, PublicationBroken, PublisherFenced
from headrace.kafka.topics import log_end
from headrace.publish import publishing
from local.stack.broker import Broker
from testbed import published
from testbed.streams import show
from testbed.waiting import until_nothing_is_open
from tests.integration.headrace.publish.conftest import Publisher, make_publisher, with_own_source

ROWS, TRANSACTION = 10_530, 2_000
"""Of the source, and of a transaction: six of them."""


@pytest.fixture(autouse=True)
def _several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "ROWS", TRANSACTION)


@pytest.fixture
def publisher(broker: Broker, tmp_path: Path) -> Publisher:
    """Of T1.csv's first rows."""
    return with_own_source(make_publisher(broker, tmp_path), ROWS)


def assert_each_once(records: list[Message]) -> None:
    published.assert_each_once(records, ROWS)


@pytest.mark.parametrize(
    ("point", "committed"),
    [
        ("publish.before_begin:1", 0),
        ("publish.inside:5", 4_000),
        ("publish.before_commit:3", 4_000),
        ("publish.after_commit:3", 6_000),
        ("publish.after_commit:6", ROWS),
    ],
)
def test_a_killed_publisher_is_resumed(point: str, committed: int, publisher: Publisher) -> None:
    publisher.killed_at(point)
    if point.startswith("publish.after_commit"):
        until_nothing_is_open(publisher.config, publisher.topic)
    visible, written = len(publisher.visible()), len(publisher.written())
    assert visible == committed
    assert publisher.states() == ["publishing"]
    assert publisher.progress() == (committed + 1 if committed else None)
    resumed = publisher.publish("again")
    show(
        f"killed (SIGKILL) at {point}: {visible} rows visible, {written - visible} written, not committed",
        f"resumed at row {resumed.resumed_at}, published {resumed.published} rows",
    )
    assert (resumed.resumed_at, resumed.published) == (committed + 1, ROWS - committed)
    assert_each_once(publisher.visible())
    assert publisher.states() == ["published"]


@pytest.mark.parametrize(
    ("point", "committed", "forgotten"),
    [
        ("publish.inside:3", 2_000, False),
        ("publish.after_commit:2", 4_000, True),
        ("publish.after_commit:3", 4_530, False),
    ],
)
def test_a_publisher_of_a_file_that_has_grown_is_resumed(
    point: str, committed: int, forgotten: bool, publisher: Publisher
) -> None:
    """Its rows are those behind the ones of before, whose publication the topic holds too."""
    publisher.write(6_000)
    publisher.publish("before")
    publisher.write(ROWS)
    publisher.killed_at(point)
    if point.startswith("publish.after_commit"):
        until_nothing_is_open(publisher.config, publisher.topic)
    assert publisher.states() == ["published", "publishing"]
    if forgotten:
        publisher.forget_progress()
    resumed = publisher.publish("again")
    assert (resumed.resumed_at, resumed.published) == (6_001 + committed, 4_530 - committed)
    assert_each_once(publisher.visible())
    assert publisher.states() == ["superseded", "published"]


def test_progress_that_has_expired_is_recovered_from_the_topic(publisher: Publisher) -> None:
    publisher.killed_at("publish.after_commit:2")
    publisher.forget_progress()
    assert publisher.publish("again").resumed_at == 4_001
    assert_each_once(publisher.visible())
    publisher.forget_progress()
    assert publisher.publish("once more").published == 0


def test_progress_that_was_lost_with_the_warehouse_is_recovered_from_the_topic(publisher: Publisher) -> None:
    publisher.killed_at("publish.after_commit:2")
    publisher.forget_progress()
    elsewhere = publisher.settings.home_path.with_name("new warehouse")
    settings = publisher.settings.model_copy(update={"warehouse": elsewhere})
    assert replace(publisher, settings=settings).publish("again").resumed_at == 4_001


def test_progress_that_retention_has_made_uncertain_is_refused(publisher: Publisher) -> None:
    publisher.killed_at("publish.after_commit:2")
    publisher.forget_progress()
    end = log_end(publisher.config, publisher.topic)
    for future in publisher.admin.delete_records([TopicPartition(publisher.topic, 1, end[1])]).values():
        future.result(30)
    with pytest.raises(PublicationBroken, match=r"retention has shortened partition 1 of topic .* republish"):
        publisher.publish("again")


def test_a_record_in_our_name_is_passed_over(publisher: Publisher) -> None:
    publisher.killed_at("publish.after_commit:2")
    publisher.forget_progress()
    (noted,) = publisher.publications()
    write(publisher, f"1:{noted.publication}:4000", f"2:{noted.publication}:{ROWS}:::{'0' * 16}")
    assert publisher.publish("again").resumed_at == 4_001
    assert_each_once([each for each in publisher.visible() if each.value() != b"{}"])


def test_a_record_that_stands_there_once_more_is_found_out(publisher: Publisher) -> None:
    publisher.killed_at("publish.after_commit:2")
    publisher.forget_progress()
    until_nothing_is_open(publisher.config, publisher.topic)
    (copied, *_) = publisher.visible()
    (header,) = copied.headers() or []
    write(publisher, str(header[1], "ascii"), value=copied.value())
    with pytest.raises(PublicationBroken, match="which has that row already"):
        publisher.publish("again")


def write(publisher: Publisher, *of_each: str, value: str | bytes | None = "{}") -> None:
    """Write a record with each of these headers."""
    producer = Producer(publisher.config)
    for header in of_each:
        producer.produce(publisher.topic, value, headers={"headrace": header})
    assert producer.flush(30) == 0


def test_an_older_publisher_is_fenced(publisher: Publisher) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(_: str) -> None:
        begun.set()
        go_on.wait(60)

    with ThreadPoolExecutor(1) as pool:
        older = pool.submit(publisher.publish, "older", report=wait)
        assert begun.wait(60)
        newer = publisher.publish("newer")
        go_on.set()
        with pytest.raises(PublisherFenced, match="a newer publisher of this source has begun"):
            older.result(60)
    assert newer.resumed_at == 2_001
    assert_each_once(publisher.visible())
    assert publisher.states() == ["published"]


def test_a_publisher_that_slept_through_its_transaction_goes_on_unless_another_has_begun(
    broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SIGSTOP until the broker has ended its transaction: one answer of the broker, and two meanings."""
    alone, replaced = (
        with_own_source(make_publisher(broker, tmp_path_factory.mktemp(name)), ROWS)
        for name in ("alone", "replaced")
    )
    asleep = {each.topic: each.asleep_at("publish.before_commit:1") for each in (alone, replaced)}
    for each in (alone, replaced):
        until_nothing_is_open(each.config, each.topic)
    assert replaced.publish("newer").published == ROWS
    said = {}
    for topic, process in asleep.items():
        process.send_signal(signal.SIGCONT)
        _, said[topic] = process.communicate(timeout=60)
    assert "[HR306]" in said[alone.topic]
    assert "no other publisher has begun since" in said[alone.topic]
    assert "[HR307]" in said[replaced.topic]
    assert alone.publish("again").resumed_at == 1
    for each in (alone, replaced):
        assert_each_once(each.visible())
        assert each.states() == ["published"]


def test_a_broker_that_dies_on_the_way_costs_nothing(publisher: Publisher, broker: Broker) -> None:
    said: list[str] = []

    def kill_after_two(text: str) -> None:
        said.append(text)
        if len(said) == 2:
            broker.kill()

    impatient = replace(publisher, config={**publisher.config, "message.timeout.ms": 3_000})
    try:
        with pytest.raises(BrokerUnreachable, match=f"broker {broker.bootstrap} did not answer"):
            impatient.publish("1", report=kill_after_two)
    finally:
        broker.start()
    assert publisher.publish("2").resumed_at == 4_001
    assert_each_once(publisher.visible())
