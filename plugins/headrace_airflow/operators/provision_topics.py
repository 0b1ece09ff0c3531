"""Provision: the topic is on the broker as its contract declares it."""

from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.settings import load_settings
from headrace_airflow.operators.stage import StageOperator
from headrace_airflow.params import refuse_params

if TYPE_CHECKING:
    from airflow.sdk import Context


class ProvisionTopicsOperator(StageOperator):
    """Brings the topic to what the contract declares, where nothing is lost by it; shows its plan first."""

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> None:
        """Plan, show the plan, apply it; harmless when repeated.

        Raises:
            TopicDiffers: something would lose records or is not ours to change; nothing was changed then.
            SettingsError, SourceMissing, SourceError: the run was given a parameter that it cannot follow.
        """
        from headrace.land.bounds import require_beginning
        from headrace.provision.provision import apply_plan, make_plan
        from headrace.tables.warehouse import Warehouse

        refuse_params(contract, context)
        warehouse = Warehouse.of(load_settings(), contract.stream)
        plan = make_plan(contract, warehouse, config)
        for line in plan.lines():
            self.log.info("%s", line)
        topic = apply_plan(contract, plan, config)
        self.log.info("topic %s (id %s): %d partitions", topic.name, topic.topic_id, topic.partitions)
        if context["params"].get("from"):
            require_beginning(warehouse, topic.topic_id, context["run_id"])
