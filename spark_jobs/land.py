"""The stage `land`: from the topic to `readings` and `quarantine`; its Airflow task starts it."""

from headrace.commits import new_try_id
from headrace.contract_file import load_contract
from headrace.errors import SettingsError
from headrace.job import read_job
from headrace.warehouse import Warehouse
from headrace_spark.driver import drive
from headrace_spark.land_batch import Try
from headrace_spark.landing import land
from headrace_spark.limit import conclude
from headrace_spark.session import build_session
from headrace_spark.watchdog import watch


def main() -> None:
    """Land the slice of the job that the environment holds."""
    job = read_job()
    watch(job.guardians)
    contract = load_contract(job.contract)
    if job.slice is None:
        raise SettingsError(f"run {job.run_id!r} was started without a slice; `land` is started by its task")
    warehouse = Warehouse(job.warehouse, contract.stream)
    with warehouse.writing():
        spark = build_session(contract, "land")
        this = Try(spark, contract, warehouse, job.run_id, new_try_id())
        land(this, job, job.slice)
        conclude(contract, warehouse, job.slice)


if __name__ == "__main__":
    drive(main)
