"""The stage `land` by Spark: from the topic to `readings` and `quarantine`; its Airflow task starts it."""

from functools import partial

from headrace.driver.protocol import read_job
from headrace.errors import SettingsError
from headrace.land.landing import Landing, land
from headrace.parse.schemas import Schemas
from headrace.tables.attempt import Attempt
from headrace.tables.warehouse import Warehouse
from headrace_spark.entry_point import run_stage, tell_task, tell_web_ui
from headrace_spark.landing import land_by_spark
from headrace_spark.session import build_session
from headrace_spark.watchdog import watch


def main() -> None:
    """Land the slice of the job that the environment holds."""
    job = read_job()
    watch(job.guardians)
    contract = job.contract.load()
    if job.slice is None:
        raise SettingsError(f"run {job.run_id!r} was started without a slice; `land` is started by its task")
    warehouse = Warehouse(job.warehouse, contract.stream)
    with warehouse.writing():
        spark = build_session(contract, "land")
        tell_web_ui(spark)
        landing = Landing(
            Attempt(contract, warehouse, job.run_id),
            job.slice,
            job.kafka,
            job.accept_loss,
            job.skip,
            job.begin,
            job.records_per_batch,
            tell_task,
            schemas=Schemas.of(job.registry),
        )
        land(landing, partial(land_by_spark, spark))


if __name__ == "__main__":
    run_stage(main)
