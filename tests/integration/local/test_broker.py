"""The embedded broker: its data survives a stop and a crash, and nobody but its user gets in."""

import socket
import struct

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, ScramMechanism, UserScramCredentialDeletion

from headrace.errors import HeadraceError, SettingsError
from headrace.kafka.login import USER
from headrace.kafka.topics import describe_topic
from local.stack.broker import Broker, answers
from local.stack.credentials import controller_password


def publish(broker: Broker, topic: str, value: str) -> None:
    producer = Producer({**broker.config, "enable.idempotence": True})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def values(broker: Broker, topic: str, count: int) -> list[str]:
    consumer = Consumer({**broker.config, "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        return [str(message.value(), "utf-8") for message in consumer.consume(count, timeout=30)]
    finally:
        consumer.close()


def test_records_survive_a_stop_and_a_crash(broker: Broker) -> None:
    admin = AdminClient(broker.config)
    admin.create_topics([NewTopic("local.survives", 1)])["local.survives"].result(30)
    publish(broker, "local.survives", "before the stop")
    broker.stop()
    assert not answers(broker.config, timeout=0.2)
    broker.start()
    publish(broker, "local.survives", "before the crash")
    broker.kill()
    broker.start()
    publish(broker, "local.survives", "after both")
    assert values(broker, "local.survives", 3) == ["before the stop", "before the crash", "after both"]


def test_a_home_from_before_the_login_keeps_its_records(broker: Broker) -> None:
    """And one whose log-in was removed, so that a new one is made."""
    admin = AdminClient(broker.config)
    admin.create_topics([NewTopic("local.older", 1)])["local.older"].result(30)
    publish(broker, "local.older", "from before")
    user = UserScramCredentialDeletion(USER, ScramMechanism.SCRAM_SHA_512)
    admin.alter_user_scram_credentials([user])[USER].result(30)
    assert not answers(broker.config)
    broker.kill()
    (broker.folder / "formatted").write_text("")  # as it stood there
    broker.start()
    assert values(broker, "local.older", 1) == ["from before"]
    assert not (broker.folder / "once.properties").exists()


def test_who_does_not_know_the_password_is_refused(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.kafka.topics.ANSWER_SECONDS", 2.0)
    with pytest.raises(SettingsError, match=r"refuses the log-in: .* Correct the Kafka connection"):
        describe_topic({**broker.config, "sasl.password": "guessed"}, "any")
    with pytest.raises(HeadraceError, match=r"did not answer .* security\.protocol of the Kafka connection"):
        describe_topic({"bootstrap.servers": broker.bootstrap}, "any")


@pytest.mark.parametrize(("listener", "endpoint"), [("port", 1), ("controller_port", 2)])
def test_no_listener_answers_a_stranger(broker: Broker, listener: str, endpoint: int) -> None:
    """As bytes: what a client library says before it asks must not be what saves the broker."""
    describe_cluster = struct.pack(">hhihB", 60, 1, 7, -1, 0) + struct.pack(">?bB", False, endpoint, 0)
    with socket.create_connection(("127.0.0.1", getattr(broker, listener)), timeout=30) as stranger:
        stranger.sendall(struct.pack(">i", len(describe_cluster)) + describe_cluster)
        assert stranger.recv(1) == b""  # it hangs up


def test_its_passwords_are_for_its_owner_only(broker: Broker) -> None:
    secrets = [broker.login.password, controller_password(broker.folder)]
    knowing = {
        file.name: file.stat().st_mode & 0o777
        for file in broker.folder.iterdir()
        if file.is_file() and any(secret in file.read_text(errors="replace") for secret in secrets)
    }
    files = ("login.json", "server.properties", "controller.properties", "client.properties")
    assert knowing == dict.fromkeys(files, 0o600)
    assert broker.process is not None
    assert not any(secret in " ".join(psutil.Process(broker.process.pid).cmdline()) for secret in secrets)


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
    admin = AdminClient(broker.config)
    admin.list_topics("local.never_made", timeout=10)
    assert "local.never_made" not in admin.list_topics(timeout=10).topics
