"""The stage `analyse`: from `readings` to the gold tables; its Airflow task starts it."""

from headrace.driver.protocol import read_job
from headrace.tables.attempt import Attempt
from headrace.tables.warehouse import Warehouse
from headrace_spark.entry_point import run_stage, tell_web_ui
from headrace_spark.gold import analyse
from headrace_spark.session import build_session
from headrace_spark.watchdog import watch


def main() -> None:
    """Analyse the stream of the job that the environment holds."""
    job = read_job()
    watch(job.guardians)
    contract = job.contract.load()
    warehouse = Warehouse(job.warehouse, contract.stream)
    with warehouse.writing():
        spark = build_session(contract, "analyse")
        tell_web_ui(spark)
        analyse(spark, Attempt(contract, warehouse, job.run_id))


if __name__ == "__main__":
    run_stage(main)
