"""The stage `publish` by Spark: from a source's files into its topic; its Airflow task starts it."""

from headrace.driver.protocol import read_job
from headrace.errors import WarehouseError
from headrace.publish.handing_over import handed_over
from headrace.settings import load_settings
from headrace.tables.attempt import Attempt
from headrace.tables.keys import lost, read_key
from headrace.tables.warehouse import Warehouse
from headrace_spark.entry_point import run_stage
from headrace_spark.publishing import Publishing
from headrace_spark.session import build_session
from headrace_spark.source_files import SourceFile
from headrace_spark.watchdog import watch


def main() -> None:
    """Publish what the task of the job has handed over."""
    job = read_job()
    watch(job.guardians)
    contract = job.contract.load()
    warehouse, spool = Warehouse(job.warehouse, contract.stream), load_settings().spool_path
    key = read_key(warehouse)
    if key is None:
        raise WarehouseError(lost(warehouse))
    files = [
        SourceFile.of(each, contract, key, spool / each.copy_sha256)
        for each in handed_over(warehouse, job.publications)
    ]
    attempt = Attempt(contract, warehouse, job.run_id)
    Publishing(build_session(contract, "publish"), attempt, spool, job.kafka).publish(files)


if __name__ == "__main__":
    run_stage(main)
