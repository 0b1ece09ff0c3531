"""Reconcile: every record of the run and every row of the sources is accounted for."""

from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.settings import load_settings
from headrace_airflow.operators.stage import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReconcileOperator(StageOperator):
    """Counts what is new, everything where the seal does not hold, and keeps the account in the ledger."""

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> None:
        """Count; whatever does not add up fails the task and is named."""
        from headrace.reconcile.reconciliation import reconcile

        for line in reconcile(contract, load_settings(), config, context["run_id"]).lines():
            self.log.info("%s", line)
