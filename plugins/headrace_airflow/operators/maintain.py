"""Maintain: a stream's tables in few files, their logs short, and what settings let go removed."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headrace.contract.loader import load_contract
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse
from headrace_airflow.failures import failing_as_task

if TYPE_CHECKING:
    from airflow.sdk import Context


log = logging.getLogger(__name__)


class MaintainOperator(BaseOperator):
    """Keeps one stream's tables small, beside whoever writes to them; its log shows them before and after.

    Args:
        contract: the stream's contract.
    """

    def __init__(self, *, contract: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.contract = str(contract)

    def execute(self, context: "Context") -> None:
        """Maintain the tables that there are; needs neither a JVM nor a broker."""
        with failing_as_task():
            from headrace.maintain.maintenance import maintain

            stream, settings = load_contract(Path(self.contract)).stream, load_settings()
            cluster = bool(context["params"].get("cluster", False))
            maintain(Warehouse.of(settings, stream), settings, self.log.info, cluster=cluster)


def remove_old_logs() -> None:
    """Remove what is in HEADRACE_HOME/logs for longer than settings keep it; by default nothing."""
    from headrace.maintain.kept_files import remove_logs

    settings = load_settings()
    if settings.keep_log_days is None:
        log.info("HEADRACE_KEEP_LOG_DAYS is not set: all logs are kept")
        return
    removed = remove_logs(settings.home_path / "logs", settings.keep_log_days)
    log.info("%d log files of more than %d days before removed", len(removed), settings.keep_log_days)
