"""The stage `land` as the Airflow worker does it without a JVM, in a process of its own, which may be killed.

python -m chaos.worker_land; the job is in the environment, as a Spark driver has it.
"""

from chaos.tampering import tamper
from headrace.driver.protocol import read_job
from headrace.land.engines import land_here
from headrace.land.landing import Landing
from headrace.tables.attempt import Attempt
from headrace.tables.warehouse import Warehouse
from headrace_spark.entry_point import run_stage


def main() -> None:
    """Land the slice of the job that the environment holds."""
    tamper()
    job = read_job()
    contract = job.contract.load()
    assert job.slice
    attempt = Attempt(contract, Warehouse(job.warehouse, contract.stream), job.run_id)
    land_here(Landing(attempt, job.slice, job.kafka, job.accept_loss, job.skip))


if __name__ == "__main__":
    run_stage(main)
