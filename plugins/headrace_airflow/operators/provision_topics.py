"""Provision: the topic is on the broker as its contract declares it."""

from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.errors import SettingsError
from headrace.settings import load_settings
from headrace_airflow.operators.stage import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ProvisionTopicsOperator(StageOperator):
    """Brings the topic to what the contract declares, where nothing is lost by it; shows its plan first."""

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> None:
        """Plan, show the plan, apply it; harmless when repeated.

        Raises:
            TopicDiffers: something would lose records or is not ours to change; nothing was changed then.
            SettingsError: the run was given a parameter that its DAG does not know.
        """
        from headrace.provision.provision import apply_plan, make_plan
        from headrace.tables.warehouse import Warehouse

        refuse_unknown_params(context)
        plan = make_plan(contract, Warehouse.of(load_settings(), contract.stream), config)
        for line in plan.lines():
            self.log.info("%s", line)
        topic = apply_plan(contract, plan, config)
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
