"""A driver that is kept warm: it warms itself, waits for one job, does it and ends; its keeper starts it."""

import os
import runpy
import sys
import traceback
from pathlib import Path

from pyspark.sql import SparkSession

from headrace.driver.protocol import Guardian
from headrace.driver.warm import KEEPER_VARIABLE, Handover, say_warm
from headrace.settings import load_settings
from headrace.task_log import say
from headrace_spark.inbox import Inbox
from headrace_spark.warm_up import warm_up
from headrace_spark.watchdog import watch


def main() -> None:
    """Warm up, as long as no job has come, and do the job."""
    end_with_keeper = watch([Guardian.model_validate_json(os.environ.pop(KEEPER_VARIABLE))])
    spark = SparkSession.builder.getOrCreate()
    inbox = Inbox(spark)
    try:
        warm_up(spark, inbox.has_post)
    except Exception:  # it makes a job faster, no more
        traceback.print_exc()
    home = load_settings().home_path
    say_warm(home)
    given = inbox.read()
    end_with_keeper.set()
    if given is None:
        return
    handover = Handover.model_validate_json(given)
    os.environ.update(handover.environment)
    say(handover.took())
    code = run(handover.application)
    say(handover.ended(code))
    sys.stderr.flush()
    # Now, so that nobody waits: the JVM tidies up when this process is gone.
    os._exit(code)


def run(application: Path) -> int:
    """Run a stage's script as spark-submit would; its exit code."""
    try:
        runpy.run_path(str(application), run_name="__main__")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main()
