"""An account: what the task `reconcile` does, or, where the job has no slice, an audit."""

from headrace.driver.protocol import read_job
from headrace.no_pandas import spare_pandas
from headrace.reconcile.reconciliation import audit, reconcile
from headrace.settings import Settings

if __name__ == "__main__":
    spare_pandas()  # a task finds it imported, see headrace_airflow/executor.py
    job = read_job()
    settings = Settings(warehouse=job.warehouse, home=job.warehouse / "home")
    count = reconcile if job.slice else audit
    count(job.contract.load(), settings, job.kafka, job.run_id)
