"""How each contender's process is started."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from headrace.driver.protocol import Job
from headrace.driver.spark_submit import SPARK_SUBMIT
from headrace.settings import PROJECT, load_settings
from local.install.jars import fetch_jars
from local.stack.spark import spark_environment, submit

HERE = Path(__file__).parent

Start = Callable[[Job], "subprocess.Popen[str]"]
"""Starts the process that lands a job; all its output is one text."""


def headrace_spark(job: Job) -> "subprocess.Popen[str]":
    """The driver of the stage `land`, as its task starts it."""
    return submit("land.py", job, HEADRACE_HOME=str(job.warehouse / "home"))


def headrace_worker(job: Job) -> "subprocess.Popen[str]":
    """What the task does in its own process where the engine is `worker`."""
    return _python("headrace_worker", job)


def headrace_reconcile(job: Job) -> "subprocess.Popen[str]":
    """The stage `reconcile` of the job's run; without a slice an audit."""
    return _python("headrace_reconcile", job)


def spark_raw(job: Job) -> "subprocess.Popen[str]":
    """Spark with the settings of our own drivers."""
    return submit(str(HERE / "spark_raw.py"), job)


def plain_python(job: Job) -> "subprocess.Popen[str]":
    """No Spark and no promise."""
    return _python("plain_python", job)


def spark_naive(job: Job) -> "subprocess.Popen[str]":
    """Spark as people start it: every setting as it comes, its jars on the command line."""
    return _naive("spark_naive.py", job)


def analyse_spark(job: Job) -> "subprocess.Popen[str]":
    """The driver of the stage `analyse`, as its task starts it."""
    return submit("analyse.py", job)


def analyse_worker(job: Job) -> "subprocess.Popen[str]":
    """What the task does in its own process where the engine is `worker`."""
    return _python("analyse_worker", job)


def analyse_naive(job: Job) -> "subprocess.Popen[str]":
    """Spark as people start it, over the same readings."""
    return _naive("analyse_naive.py", job)


def _naive(script: str, job: Job) -> "subprocess.Popen[str]":
    """Every setting as it comes, the jars on the command line."""
    settings = load_settings()
    jars = ",".join(map(str, sorted(fetch_jars(settings.home_path, "spark").glob("*.jar"))))
    nothing = job.warehouse / "no-settings"
    nothing.mkdir(parents=True, exist_ok=True)
    return start_process(
        [SPARK_SUBMIT, "--jars", jars, str(HERE / script)],
        {**spark_environment(settings), "SPARK_CONF_DIR": str(nothing), **job.environment()},
    )


def _python(module: str, job: Job) -> "subprocess.Popen[str]":
    return start_process([sys.executable, "-m", f"bench.contenders.{module}"], job.environment())


def start_process(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
    """A process with these variables more, all of whose output is one text."""
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
