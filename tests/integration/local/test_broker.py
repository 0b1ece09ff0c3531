"""The embedded broker: its data survives a stop and a crash, and it listens on the loopback only."""

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from local.stack.broker import Broker, answers


def publish(broker: Broker, topic: str, value: str) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def values(broker: Broker, topic: str, count: int) -> list[str]:
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap, "group.id": "test", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        return [str(message.value(), "utf-8") for message in consumer.consume(count, timeout=30)]
    finally:
        consumer.close()


def test_records_survive_a_stop_and_a_crash(broker: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic("local.survives", 1)])["local.survives"].result(30)
    publish(broker, "local.survives", "before the stop")
    broker.stop()
    assert not answers(broker.bootstrap, timeout=0.2)
    broker.start()
    publish(broker, "local.survives", "before the crash")
    broker.kill()
    broker.start()
    publish(broker, "local.survives", "after both")
    assert values(broker, "local.survives", 3) == ["before the stop", "before the crash", "after both"]


def test_a_broker_that_died_is_fenced_before_it_comes_back(broker: Broker) -> None:
    """Else its coordinator may forget a commit for ever; see local/stack/rejoin.py."""
    log = broker.folder / "broker.log"
    broker.kill()
    before = log.stat().st_size
    broker.start()
    with log.open("rb") as since:
        since.seek(before)
        # What the controller answers while it still holds the dead one for alive.
        assert b"DUPLICATE_BROKER_REGISTRATION" not in since.read()


def test_it_listens_on_the_loopback_only(broker: Broker) -> None:
    assert broker.process is not None
    listening = [
        connection.laddr
        for connection in psutil.Process(broker.process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == {broker.port, broker.controller_port}


def test_it_makes_no_topic_by_itself(broker: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.list_topics("local.never_made", timeout=10)
    assert "local.never_made" not in admin.list_topics(timeout=10).topics
