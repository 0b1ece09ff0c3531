"""Spark stages as their tasks run them: as a process that can be killed, or in this process's own warm JVM.

A process starts a JVM, ten seconds of processor time; it is for tests whose subject is the driver's death.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location

from pyspark.sql import SparkSession

from headrace.driver.landing_job import landing_of
from headrace.driver.protocol import DriverError, Job, read_last_word
from headrace.land.engines import land_here
from headrace.settings import PROJECT, load_settings
from headrace_spark.entry_point import run_stage
from local.stack.spark import spark_environment, submit

STAGE_SECONDS = 300
"""How long a driver of a test may take."""

SESSION = ("spark.sql.session.timeZone",)
"""What a stage sets for its own contract, on the one session that all of a process share."""


@dataclass(frozen=True)
class Outcome:
    """How a stage's command ended."""

    code: int
    output: str

    @cached_property
    def error(self) -> DriverError | None:
        """The error of Headrace that it ended with."""
        found = filter(None, map(read_last_word, reversed(self.output.splitlines())))
        return next(found, None)

    @property
    def terminal(self) -> bool:
        """Whether Airflow would not try again."""
        return self.code != 0 and self.error is not None and not self.error.transient

    def __str__(self) -> str:
        if self.code == 0:
            return "0"
        if self.code in {-9, 137}:
            return "killed"
        last = self.error.message if self.error else (self.output.strip().splitlines() or ["no word"])[-1]
        return f"exit code {self.code}: {last.splitlines()[0][:160]}"


def run_as_process(script: str, job: Job, **environment: str) -> Outcome:
    """Run a stage's driver to its end."""
    process = submit(script, job, **environment)
    output, _ = process.communicate(timeout=STAGE_SECONDS)
    return Outcome(process.returncode, output)


def run_warm(script: str, job: Job, **environment: str) -> Outcome:
    """Run the script's own `main` in this process, whose JVM and session outlive it."""
    with _variables({**job.environment(), **environment}), _session_as_it_was():
        return _ended(_main_of(script))


def run_in_worker(job: Job, **environment: str) -> Outcome:
    """Land the job's slice in this process, as the operator does where no Spark is needed."""

    def stage() -> None:
        land_here(landing_of(job, job.contract.load()))

    with _variables(environment):
        return _ended(lambda: run_stage(stage))


Land = Callable[..., Outcome]
"""Lands a job's slice; takes variables of the environment besides."""

LANDERS: dict[str, Land] = {
    "spark": lambda job, **environment: run_warm("land.py", job, **environment),
    "worker": run_in_worker,
}
"""Landing by each engine."""


def succeeded(outcome: Outcome) -> str:
    """The output of a stage that must have succeeded."""
    assert outcome.code == 0, outcome.output
    return outcome.output


def succeed(script: str, job: Job) -> str:
    """Run a stage that must succeed; its output."""
    return succeeded(run_warm(script, job))


def _ended(stage: Callable[[], None]) -> Outcome:
    """Run a stage as a command would, and keep what it says."""
    said, code = io.StringIO(), 0
    with redirect_stdout(said):
        try:
            stage()
        except SystemExit as ended:
            code = int(ended.code or 0)
        except Exception as failed:  # as an uncaught exception ends a driver
            said.write(f"{type(failed).__name__}: {failed}\n")
            code = 1
    return Outcome(code, said.getvalue())


def warm_session() -> SparkSession:
    """The session of this process, with the jars and the configuration of the drivers."""
    os.environ.update(spark_environment(load_settings()))
    return SparkSession.builder.master("local[2]").appName("warm").getOrCreate()


def _main_of(script: str) -> Callable[[], None]:
    """What the script does as a program; it is no module."""
    spec = spec_from_file_location(script.removesuffix(".py"), PROJECT / "spark_jobs" / script)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda: run_stage(module.main)


@contextmanager
def _variables(environment: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _session_as_it_was() -> Iterator[None]:
    conf = warm_session().conf
    before = {name: conf.get(name, None) for name in SESSION}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                conf.unset(name)
            else:
                conf.set(name, value)
