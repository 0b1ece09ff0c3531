"""The stage `analyse`: from `readings` to the gold tables; its Airflow task starts it."""

from headrace.commits import new_try_id
from headrace.contract_file import load_contract
from headrace.job import read_job
from headrace.warehouse import Warehouse
from headrace_spark.driver import drive
from headrace_spark.gold import analyse
from headrace_spark.land_batch import Try
from headrace_spark.session import build_session
from headrace_spark.watchdog import watch


def main() -> None:
    """Analyse the stream of the job that the environment holds."""
    job = read_job()
    watch(job.guardians)
    contract = load_contract(job.contract)
    warehouse = Warehouse(job.warehouse, contract.stream)
    with warehouse.writing():
        spark = build_session(contract, "analyse")
        analyse(Try(spark, contract, warehouse, job.run_id, new_try_id()))


if __name__ == "__main__":
    drive(main)
