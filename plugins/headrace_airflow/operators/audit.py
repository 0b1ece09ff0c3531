"""Audit: everything that a stream's tables, sources and topic hold, counted from the source up."""

from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.settings import load_settings
from headrace.tables.names import LANDED
from headrace.tables.warehouse import Warehouse
from headrace_airflow.operators.stage import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class AuditOperator(StageOperator):
    """Counts everything of one stream again, beside what lands meanwhile, and seals it anew."""

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> None:
        """Count; what does not add up fails the task and is named. A stream without tables is passed over."""
        from headrace.reconcile.reconciliation import audit

        settings = load_settings()
        if not any(map(Warehouse.of(settings, contract.stream).exists, LANDED)):
            self.log.info("nothing of stream %s has been landed yet: nothing to audit", contract.stream)
            return
        for line in audit(contract, settings, config, f"audit {context['run_id']}").lines():
            self.log.info("%s", line)
