"""How the scripts of spark_jobs/ run a stage: an error that Headrace knows becomes the driver's last word."""

from collections.abc import Callable

from pyspark.sql import SparkSession

from headrace.driver.protocol import DriverError, News
from headrace.errors import HeadraceError
from headrace.land.progress import Progress
from headrace.task_log import say
from headrace_spark.failures import known_failure


def run_stage(stage: Callable[[], None]) -> None:
    """Run a stage; a known error becomes the driver's last word, any other keeps its traceback.

    Raises:
        SystemExit: with 1, after the last word.
    """
    try:
        stage()
    except Exception as failed:
        error = failed if isinstance(failed, HeadraceError) else known_failure(failed)
        if error is None:
            raise
        say(DriverError.of(error).last_word())
        raise SystemExit(1) from error


def tell_task(progress: Progress) -> None:
    """Have the task know how far landing has come."""
    say(News(progress=progress).line())


def tell_web_ui(spark: SparkSession) -> None:
    """Have the task know where Spark's own web UI is, where it is switched on."""
    address = spark.sparkContext.uiWebUrl
    if address:
        say(News(spark_ui=address).line())
