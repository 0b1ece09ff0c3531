"""The stage `land` by Spark: from the topic to `readings` and `quarantine`; its Airflow task starts it."""

from functools import partial

from headrace.driver.landing_job import landing_of
from headrace.driver.protocol import read_job
from headrace.land.landing import land
from headrace_spark.entry_point import run_stage, tell_task, tell_web_ui
from headrace_spark.landing import land_by_spark
from headrace_spark.session import build_session
from headrace_spark.watchdog import watch


def main() -> None:
    """Land the slice of the job that the environment holds."""
    job = read_job()
    watch(job.guardians)
    contract = job.contract.load()
    landing = landing_of(job, contract, tell_task)
    with landing.attempt.warehouse.writing():
        spark = build_session(contract, "land")
        tell_web_ui(spark)
        land(landing, partial(land_by_spark, spark))


if __name__ == "__main__":
    run_stage(main)
