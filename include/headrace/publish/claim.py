"""Which of a source's publishers has begun last."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from headrace.kafka.librdkafka import ANSWER_SECONDS, Admin, Errors, client_config


class Claim:
    """Who of a source's publishers has begun last, noted at the broker as metadata of a group's offset.

    The broker gives one answer (librdkafka 2.16: fatal, _FENCED) to a publisher that another one has replaced
    and to one whose transaction it has ended because it took too long. The group bears the transactional id.
    """

    def __init__(self, config: Mapping[str, Any], topic: str, transactional_id: str) -> None:
        self._config, self._topic, self._group = config, topic, transactional_id
        self._mine = uuid4().hex

    def make(self) -> None:
        """Note it, before others are stopped: whoever is stopped by this publisher finds its note.

        Raises:
            BrokerUnreachable: no answer in time.
            SettingsError: the broker refuses the log-in or the group.
        """
        place = TopicPartition(self._topic, 0, 0, metadata=self._mine)
        wanted = [ConsumerGroupTopicPartitions(self._group, [place])]
        admin = Admin(self._config, self._topic)
        admin.answer(
            lambda client: client.alter_consumer_group_offsets(wanted, request_timeout=ANSWER_SECONDS)
        )

    def stands(self) -> bool:
        """Whether nobody has begun since; where the broker does not say it, somebody may have."""
        # Not by the admin client: its list_consumer_group_offsets ends the process (confluent-kafka 2.16.1).
        asking = Consumer({**client_config(self._config, Errors()), "group.id": self._group})
        try:
            (found,) = asking.committed([TopicPartition(self._topic, 0)], timeout=ANSWER_SECONDS)
        except KafkaException:
            return False
        finally:
            asking.close()
        return bool(found.metadata == self._mine)
