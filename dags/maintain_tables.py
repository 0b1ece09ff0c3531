"""Every stream's tables kept small, once a day: one task a stream, beside what lands meanwhile.

Small files are brought together, files and log that nobody needs any more removed; what settings let go
(`HEADRACE_KEEP_…`, by default nothing) goes too. No record is lost by it: `reconcile` holds after it what it
held before. What a writer is in the way of is left for the next time.

`HEADRACE_MAINTAIN_SCHEDULE` says when; with the parameter `cluster` a run also sorts `readings` by time.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, task

from headrace.settings import load_settings
from headrace_airflow.contracts import sound_contracts
from headrace_airflow.operators.maintain import MaintainOperator, remove_old_logs

with DAG(
    dag_id="maintain_tables",
    description="Keeps tables small, and removes what settings let go",
    doc_md=__doc__,
    schedule=load_settings().maintain_cron,
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=1,
    max_active_tasks=1,  # streams take turns: the disk is one
    tags=["headrace"],
    params={
        "cluster": Param(
            False,
            type="boolean",
            title="Cluster",
            description="Write `readings` anew in the order of its times, all of it: a query for a few days "
            "then opens a few files. The next `reconcile` compares all files with those before.",
        )
    },
    default_args={
        "owner": "headrace",
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(hours=6),
    },
):
    for file, contract in sound_contracts().items():
        MaintainOperator(task_id=contract.stream, contract=file)

    @task(task_id="task-logs")  # no stream can be called so
    def old_logs() -> None:
        """Remove logs of more than `HEADRACE_KEEP_LOG_DAYS` before."""
        remove_old_logs()

    old_logs()
