"""Report: one page for people, made of the tables when every record is accounted for."""

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from headrace.contract.model import Contract
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse
from headrace_airflow.operators.stage import StageOperator
from headrace_airflow.ui.links import ReportLink

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReportOperator(StageOperator):
    """Writes the run's report into the warehouse; the task links to it."""

    operator_extra_links = (ReportLink(),)

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> None:
        """Write the page, unless it would say what the newest one says; cleared, the task writes it anew.

        Raises:
            AirflowSkipException: the run was told to write none.
        """
        if context["params"].get("skip_report"):
            raise AirflowSkipException("the run's parameter skip_report: it has no report of its own")
        from headrace.report.newest import require_account, standing_report

        warehouse = Warehouse.of(load_settings(), contract.stream)
        entry = require_account(warehouse, context["run_id"])
        earlier = standing_report(contract, warehouse, entry)
        if earlier is not None:
            self.log.info(
                "nothing new since run %s: its report stands, and this run's link leads there", earlier
            )
            return
        from headrace.report.page import write_report

        file = write_report(contract, warehouse, entry)
        self.log.info(
            "Open the report by the button 'Report' in this task's tab 'Details'; its file: %s", file
        )
