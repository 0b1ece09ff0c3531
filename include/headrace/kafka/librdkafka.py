"""Clients of the broker: their configuration, where their log goes, and what their errors mean here.

A `config` is a librdkafka configuration, as the extra of an Airflow connection of type `kafka` gives it.
"""

import logging
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from headrace.errors import BrokerUnreachable, HeadraceError, SettingsError, TopicMissing

log = logging.getLogger(__name__)

ANSWER_SECONDS = 15.0
"""How long one question to the broker may take."""

FETCH = frozenset(
    {"fetch.min.bytes", "fetch.max.bytes", "fetch.wait.max.ms", "max.partition.fetch.bytes"}
    | {"fetch.message.max.bytes"}
)
"""How much a consumer asks for at a time."""

CONSUMER_ONLY = FETCH | frozenset(
    {"group.id", "group.instance.id", "auto.offset.reset", "enable.auto.commit", "auto.commit.interval.ms"}
    | {"enable.auto.offset.store", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms"}
    | {"isolation.level", "partition.assignment.strategy", "enable.partition.eof", "check.crcs"}
)
"""What a connection may hold for consumers; a producer or an admin client warns of it at every start."""

# confluent-kafka documents these codes under names that begin with an underscore.
AUTHENTICATION = {
    KafkaError._AUTHENTICATION,  # noqa: SLF001
    KafkaError._SSL,  # noqa: SLF001
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.ILLEGAL_SASL_STATE,
}
AUTHORIZATION = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
ABSENT = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}  # noqa: SLF001

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def bootstrap(config: Mapping[str, Any]) -> str:
    """The brokers' addresses, for messages.

    Raises:
        SettingsError: the configuration names none.
    """
    servers = config.get("bootstrap.servers") or config.get("metadata.broker.list")
    if not servers:
        raise SettingsError("the Kafka connection names no bootstrap.servers; add them to its extra")
    return str(servers)


class Errors:
    """Receives what librdkafka reports outside of any call: a wrong password shows only there."""

    def __init__(self) -> None:
        self.authentication: KafkaError | None = None
        self.too_large: KafkaError | None = None

    def __call__(self, error: KafkaError) -> None:
        if error.code() in AUTHENTICATION:
            self.authentication = error
        elif "receive.message.max.bytes" in error.str():
            self.too_large = error


def client_config(config: Mapping[str, Any], errors: Errors) -> dict[str, Any]:
    """The configuration of an admin client or producer; its log goes to Python's instead of stderr.

    Raises:
        SettingsError: the configuration names no brokers.
    """
    bootstrap(config)
    own = {key: value for key, value in config.items() if key not in CONSUMER_ONLY}
    # librdkafka says at every attempt, each 50 ms at first, that a broker is away: our error says it once
    return {"log_level": 2, "reconnect.backoff.ms": 200, **own, "error_cb": errors, "logger": log}


def translate(error: KafkaError, config: Mapping[str, Any], topic: str, errors: Errors) -> HeadraceError:
    """What a Kafka error means to Headrace: a wrong setting, an absent topic, or a broker that is away."""
    servers = bootstrap(config)
    if errors.authentication or error.code() in AUTHENTICATION:
        said = (errors.authentication or error).str()
        return SettingsError(f"broker {servers} refuses the log-in: {said}. Correct the Kafka connection.")
    if error.code() in AUTHORIZATION:
        return SettingsError(
            f"broker {servers} does not permit this on topic {topic}: {error.str()}. Grant the user of the "
            "Kafka connection the right, or use another connection."
        )
    if error.code() == KafkaError._INVALID_ARG:  # noqa: SLF001  # a documented name, see above
        return SettingsError(f"the Kafka connection does not fit: {error.str()}")
    if error.code() in ABSENT:
        return TopicMissing(
            f"topic {topic} is not on broker {servers}; run `provision_topics` (or whoever owns the topic "
            "must create it), or correct topic.name in the contract"
        )
    return BrokerUnreachable(
        f"broker {servers} did not answer for topic {topic}: {error.str()}. Is it running, and "
        "do bootstrap.servers and security.protocol of the Kafka connection fit it?"
    )


class Admin:
    """An admin client that waits for every answer, for ANSWER_SECONDS at most."""

    def __init__(self, config: Mapping[str, Any], topic: str) -> None:
        self._config, self._topic, self._errors = config, topic, Errors()
        try:
            self._client = AdminClient(client_config(config, self._errors))
        except KafkaException as failed:
            raise translate(failed.args[0], config, topic, self._errors) from failed

    def answer(self, ask: Callable[[AdminClient], dict[Any, "Future[T]"]]) -> list[T]:
        """The answers to one request, in the order of its parts.

        Raises:
            HeadraceError: a part has none.
        """
        answers = []
        for each in self.answers(ask, lambda _: self._topic).values():
            if isinstance(each, HeadraceError):
                raise each
            answers.append(each)
        return answers

    def answers(
        self, ask: Callable[[AdminClient], dict[K, "Future[T]"]], topic_of: Callable[[K], str]
    ) -> dict[K, T | HeadraceError]:
        """The answer to each part of one request, or why it has none; `topic_of`: the topic of a part."""
        try:
            futures = ask(self._client)
        except KafkaException as failed:
            raise self._meaning(failed, self._topic) from failed
        found: dict[K, T | HeadraceError] = {}
        for part, future in futures.items():
            try:
                found[part] = future.result(ANSWER_SECONDS + 1)
            except (KafkaException, TimeoutError) as failed:
                error = self._meaning(failed, topic_of(part))
                error.__cause__ = failed
                found[part] = error
        return found

    def _meaning(self, failed: KafkaException | TimeoutError, topic: str) -> HeadraceError:
        self._client.poll(0)  # runs the error callback
        timed_out = KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001  # a documented name, see above
        error = failed.args[0] if isinstance(failed, KafkaException) else timed_out
        return translate(error, self._config, topic, self._errors)
