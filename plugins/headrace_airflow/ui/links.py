"""Links from tasks to pages of Headrace."""

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PREFIX = "/headrace"
"""Where Headrace's pages are, below Airflow's own address."""


class ReportLink(BaseOperatorLink):
    """The button that opens the report of the task's run."""

    name = "Report"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """The page's address; ids are free text of whoever triggered the run."""
        base = conf.get("api", "base_url", fallback="").rstrip("/")
        return (
            f"{base}{PREFIX}/reports/{quote(ti_key.dag_id, safe='')}?{urlencode({'run_id': ti_key.run_id})}"
        )


class SparkWebUI(BaseOperatorLink):
    """The button that opens Spark's own web UI, while the task's driver runs and where it is switched on.

    The running task writes the address itself; what Airflow asks for when the task has ended is no longer
    there.
    """

    name = "Spark UI"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """No address: the driver has ended."""
        return ""
