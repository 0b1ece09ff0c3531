"""The executor of one machine: workers that hold what tasks import, so that none imports it anew.

LocalExecutor's workers are forked from the scheduler and fork each task; what the scheduler has imported its
tasks have, and share its memory of it. In a small task imports are most of the work.
"""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

IMPORTED = (
    # What parses the DAG file, and the file's own imports.
    "airflow.dag_processing.dagbag",
    "headrace_airflow.contracts",
    "headrace_airflow.operators.analyse",
    "headrace_airflow.operators.land",
    "headrace_airflow.operators.provision_topics",
    "headrace_airflow.operators.publish",
    "headrace_airflow.operators.reconcile",
    "headrace_airflow.operators.report",
    "headrace_airflow.params",
    "headrace_airflow.sensors.gate",
    # What the stages import when they run.
    "headrace_airflow.hooks.kafka",
    "headrace_airflow.triggers.gate",
    "headrace.gates.conditions",
    "headrace.land.bounds",
    "headrace.land.idle",
    "headrace.publish.kinds",
    "headrace.report.newest",
    "headrace.tables.progress",
    # What pyarrow imports at its first array, and what the report draws with.
    "pandas",
    "pyarrow.dataset",
    "matplotlib.figure",
)
"""Not polars: its makers warn of forking a process that has it."""


class PreloadingExecutor(LocalExecutor):
    """Airflow's LocalExecutor; changed modules reach tasks when the scheduler starts again."""

    def start(self) -> None:
        """Import them, and start the workers."""
        for name in IMPORTED:
            import_module(name)
        super().start()
