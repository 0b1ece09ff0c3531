"""The stage `land` by the worker's engine, in a process of its own, which may be killed.

python -m chaos.worker_land; the job is in the environment, as a Spark driver has it.
"""

from chaos.tampering import tamper
from headrace.contract.loader import load_contract
from headrace.driver.protocol import read_job
from headrace.land.landing import Landing, land
from headrace.land.worker import land_in_worker
from headrace.tables.attempt import Attempt
from headrace.tables.warehouse import Warehouse
from headrace_spark.entry_point import run_stage


def main() -> None:
    """Land the slice of the job that the environment holds."""
    tamper()
    job = read_job()
    contract = load_contract(job.contract)
    assert job.slice
    warehouse = Warehouse(job.warehouse, contract.stream)
    with warehouse.writing():
        attempt = Attempt(contract, warehouse, job.run_id)
        land(Landing(attempt, job.slice, job.kafka, job.accept_loss), land_in_worker)


if __name__ == "__main__":
    run_stage(main)
