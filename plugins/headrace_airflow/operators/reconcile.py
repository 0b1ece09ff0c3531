"""Reconcile: every record of the run and every row of the sources is accounted for."""

from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.settings import load_settings
from headrace_airflow.operators.stage import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReconcileOperator(StageOperator):
    """Counts what is new, everything where the seal does not hold, and keeps the account in the ledger.

    XCom: `note`, what the run did, in a line, which becomes the run's note in the web UI.
    """

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> dict[str, str]:
        """Count; whatever does not add up fails the task and is named."""
        from headrace.reconcile.reconciliation import reconcile
        from headrace.report.run_note import run_note
        from headrace.tables.warehouse import Warehouse
        from headrace_airflow.metrics import send_measures

        settings = load_settings()
        warehouse = Warehouse.of(settings, contract.stream)
        entry = reconcile(contract, settings, config, context["run_id"])
        for line in entry.lines():
            self.log.info("%s", line)
        send_measures(contract, warehouse, config, entry)
        return {"note": run_note(contract, warehouse, entry)}
