"""Headrace without a JVM: what the task does where the contract's engine is `worker`."""

from headrace.driver.protocol import read_job
from headrace.land.engines import land_here
from headrace.land.landing import Landing
from headrace.tables.attempt import Attempt
from headrace.tables.warehouse import Warehouse

if __name__ == "__main__":
    job = read_job()
    assert job.slice
    contract = job.contract.load()
    attempt = Attempt(contract, Warehouse(job.warehouse, contract.stream), job.run_id)
    land_here(Landing(attempt, job.slice, job.kafka))
