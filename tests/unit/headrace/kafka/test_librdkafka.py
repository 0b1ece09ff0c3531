"""What librdkafka's errors mean to Headrace; tests/integration/headrace/kafka meets them on a real broker."""

from confluent_kafka import KafkaError

from headrace.errors import SettingsError
from headrace.kafka.librdkafka import Errors, translate


def test_a_refused_log_in_is_a_wrong_setting() -> None:
    errors = Errors()
    errors(KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED, "wrong password"))
    timeout = KafkaError(KafkaError._TIMED_OUT)
    said = translate(timeout, {"bootstrap.servers": "b:1"}, "t", errors)
    assert isinstance(said, SettingsError)
    assert "broker b:1 refuses the log-in: wrong password" in str(said)
