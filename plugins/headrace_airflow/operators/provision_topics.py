"""Provision: the topic is on the broker as its contract declares it."""

from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.errors import SettingsError
from headrace_airflow.operators.stage import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ProvisionTopicsOperator(StageOperator):
    """Creates the topic if it is absent and refuses one that differs from the contract."""

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> None:
        """Make the topic, or compare the one that is there with the contract.

        Raises:
            SettingsError: the run was given a parameter that its DAG does not know.
        """
        from headrace.kafka.topics import ensure_topic

        refuse_unknown_params(context)
        topic = ensure_topic(config, contract.topic)
        self.log.info("topic %s (id %s): %d partitions", topic.name, topic.topic_id, topic.partitions)


def refuse_unknown_params(context: "Context") -> None:
    """Refuse a run's misspelt parameter, which Airflow takes in silence; the first stage does so for all.

    Raises:
        SettingsError: it names the parameter and those that there are.
    """
    known = set(context["dag"].params)
    unknown = sorted(set(context["dag_run"].conf or {}) - known)
    if unknown:
        raise SettingsError(
            f"run {context['run_id']!r}: DAG {context['dag'].dag_id} has no parameter "
            f"{', '.join(map(repr, unknown))}; there are {', '.join(sorted(known))}. "
            "Trigger a run with the right one; this one has done nothing"
        )
