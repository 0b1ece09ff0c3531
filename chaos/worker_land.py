"""The stage `land` as the Airflow worker does it without a JVM, in a process of its own, which may be killed.

python -m chaos.worker_land; the job is in the environment, as a Spark driver has it.
"""

from chaos.tampering import tamper
from headrace.driver.landing_job import landing_of
from headrace.driver.protocol import read_job
from headrace.land.engines import land_here
from headrace_spark.entry_point import run_stage


def main() -> None:
    """Land the slice of the job that the environment holds."""
    tamper()
    job = read_job()
    land_here(landing_of(job, job.contract.load()))


if __name__ == "__main__":
    run_stage(main)
