"""Provision: the topic is on the broker as its contract declares it."""

from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace_airflow.operators.stage import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ProvisionTopicsOperator(StageOperator):
    """Creates the topic if it is absent and refuses one that differs from the contract."""

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> None:
        """Make the topic, or compare the one that is there with the contract."""
        from headrace.kafka.topics import ensure_topic

        topic = ensure_topic(config, contract.topic)
        self.log.info("topic %s (id %s): %d partitions", topic.name, topic.topic_id, topic.partitions)
