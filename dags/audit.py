"""Everything counted again, from the source up, once a week: one task a stream.

An ordinary run's `reconcile` counts what is new and stands on its seal for the rest. The audit believes no
seal: it counts the sources' rows, every row of `readings` and `quarantine` and what the topic still holds,
names what does not add up, and seals what does. Landing may go on meanwhile.

`HEADRACE_AUDIT_SCHEDULE` says when; `headrace audit STREAM` does the same by hand.
"""

from datetime import timedelta

from airflow.sdk import DAG

from headrace.settings import load_settings
from headrace_airflow.contracts import sound_contracts
from headrace_airflow.operators.audit import AuditOperator

with DAG(
    dag_id="audit",
    description="Counts every stream again, from the source up",
    doc_md=__doc__,
    schedule=load_settings().audit_cron,
    # Without a start there is no run for the week before a machine was set up.
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=1,
    max_active_tasks=1,  # streams take turns: an audit reads all that there is
    tags=["headrace"],
    default_args={
        "owner": "headrace",
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(hours=24),
    },
):
    for file, contract in sound_contracts().items():
        AuditOperator(task_id=contract.stream, contract=file)
