"""Landing in a JVM that is warm already, for trials whose fault is over before the landing begins.

What runs is `land.py`'s own `main`, once a job; only the session outlives it. As a program it takes a job a
line and answers with an exit code a line, between which stand the driver's own lines.
"""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location

from headrace.job import VARIABLE, Job
from headrace.settings import PROJECT, load_settings
from headrace_spark.driver import drive
from local.spark import spark_environment
from tests.chaos.processes import Outcome

ANSWER = "WARM-EXIT "


class WarmLander:
    """The process, started with the first job."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def land(self, job: Job, environment: dict[str, str]) -> Outcome:
        """Land one job as `land.py` would."""
        process = self._process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{environment['HEADRACE_HOME']}\t{job.model_dump_json()}\n")
        process.stdin.flush()
        lines: list[str] = []
        for line in process.stdout:
            if line.startswith(ANSWER):
                return Outcome(int(line.removeprefix(ANSWER)), "".join(lines))
            lines.append(line)
        raise AssertionError(f"the warm driver ended: {''.join(lines)}")

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.communicate()

    def _start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.warm"],
            cwd=PROJECT,
            env={**os.environ, **spark_environment(load_settings())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def serve() -> None:
    """Land each job of standard input."""
    main = _land()
    for line in sys.stdin:
        os.environ["HEADRACE_HOME"], os.environ[VARIABLE] = line.rstrip("\n").split("\t")
        said, code = io.StringIO(), 0
        try:
            with redirect_stdout(said):
                drive(main)
        except SystemExit as ended:
            code = int(ended.code or 0)
        except Exception as failed:  # as an uncaught exception ends a driver
            said.write(f"{type(failed).__name__}: {failed}\n")
            code = 1
        sys.stdout.write(f"{said.getvalue()}{ANSWER}{code}\n")
        sys.stdout.flush()


def _land() -> Callable[[], None]:
    """The `main` of land.py, which is a program and no module."""
    spec = spec_from_file_location("land", PROJECT / "spark_jobs" / "land.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Callable[[], None] = module.main
    return main


if __name__ == "__main__":
    serve()
