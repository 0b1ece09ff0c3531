"""Headrace without a JVM: what the task `analyse` does where the contract's engine is `worker`."""

from headrace.analyse.engines import analyse_here
from headrace.driver.protocol import read_job
from headrace.tables.attempt import Attempt
from headrace.tables.warehouse import Warehouse

if __name__ == "__main__":
    job = read_job()
    contract = job.contract.load()
    analyse_here(Attempt(contract, Warehouse(job.warehouse, contract.stream), job.run_id))
