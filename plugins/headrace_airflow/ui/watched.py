"""What a running task shows of itself in Airflow: its progress, and the way to Spark's own web UI."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from headrace_airflow.ui.links import SparkWebUI

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headrace.driver.protocol import News
    from headrace.land.progress import Progress

KEY = "progress"
"""The key in the task's state (`/api/v2/…/taskInstances/{task}/state-store/progress`)."""

EVERY = 2.0
"""Seconds between two writes of the state, but for the last: Airflow's database may be SQLite."""

log = logging.getLogger(__name__)


class Watched:
    """One try of a task; what cannot be shown is not worth a failed landing."""

    def __init__(self, context: "Context") -> None:
        self._state = context.get("task_state_store")
        self._task = context.get("ti")
        self._written = float("-inf")

    def tell(self, news: "News") -> None:
        """Show what a driver says of its job."""
        if news.progress:
            self.landed(news.progress)
        if news.spark_ui and self._task:
            self._show(partial(self._task.xcom_push, key=SparkWebUI().xcom_key, value=news.spark_ui))
            log.info("While it runs, Spark's own web UI is at %s (button %r)", news.spark_ui, SparkWebUI.name)

    def landed(self, progress: "Progress") -> None:
        """Show how far landing has come."""
        now = time.monotonic()
        if self._state is None or (progress.lag and now - self._written < EVERY):
            return
        self._written = now
        self._show(partial(self._state.set, KEY, progress.model_dump(mode="json")))

    def _show(self, write: "Callable[[], object]") -> None:
        try:
            write()
        except Exception:
            log.warning("Airflow did not take what this task shows of itself", exc_info=True)
