"""The note of a run in Airflow's UI: what `reconcile` says that the run did. A listener, in the scheduler."""

import logging
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

TASK, KEY = "reconcile", "note"
"""Which task tells it, and under which key of its XCom."""

log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_success(dag_run: "DagRun") -> None:
    """Write the note, unless a person has written one: nothing else of Airflow lets a task do it."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import inspect

    session: Session | None = inspect(dag_run).session
    if session is None or dag_run.note:
        return
    said = XComModel.get_many(run_id=dag_run.run_id, key=KEY, task_ids=TASK, dag_ids=dag_run.dag_id)
    told = session.scalars(said.limit(1)).first()
    if told is not None:
        dag_run.note = str(XComModel.deserialize_value(told))
        log.info("run %s of DAG %s: %s", dag_run.run_id, dag_run.dag_id, dag_run.note)
