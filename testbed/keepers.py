"""A keeper of drivers as a process of its own, and what its drivers are in tests of the keeper alone."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from headrace.driver.likeness import Likeness, driver_environment
from headrace.driver.warm import Claim, KeptDriver, WarmDriver, claim, kept_drivers
from testbed.waiting import awaited

ARGUMENTS = ("--master", "local[1]", "--deploy-mode", "client")

IMITATION = """\
import os, sys
from headrace.driver.warm import Handover
from headrace.driver.warm import say_warm
from headrace.settings import load_settings
print("made for", os.environ["HEADRACE_KEEPER"], flush=True)
say_warm(load_settings().home_path)
line = sys.stdin.readline()
if not line:
    sys.exit("nobody is left")
handover = Handover.model_validate_json(line)
os.environ.update(handover.environment)
print(handover.took(), flush=True)
exec(os.environ["DO"])
print(handover.ended(int(os.environ["CODE"])), flush=True)
"""
"""A driver without a JVM: what a kept one does with its pipes."""


@contextmanager
def keeper(home: Path, environment: Mapping[str, str], *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A keeper of that home, listening; of the drivers that `command` starts, or of Spark's."""
    started = subprocess.Popen(
        [sys.executable, "-c", _IMITATING, json.dumps(command)]
        if command
        else [sys.executable, "-m", "headrace.driver.keeper", *ARGUMENTS],
        env={**environment, "HEADRACE_HOME": str(home)},
        start_new_session=True,
    )
    try:
        awaited(lambda: kept_drivers(home) or started.poll() is not None, 60)
        yield started
    finally:
        started.kill()
        started.wait(30)


_IMITATING = f"""\
import json, logging, os, sys
from headrace.driver.keeper import Keeper
from headrace.settings import load_settings
logging.basicConfig(level=logging.INFO)
Keeper(load_settings(), {ARGUMENTS!r}, json.loads(sys.argv[1])).keep()
"""


def claimed(home: Path, environment: Mapping[str, str], *arguments: str) -> WarmDriver | str:
    """Claim a driver of that home for a job, as a task in this environment does."""
    own = driver_environment({**environment, "HEADRACE_HOME": str(home)})
    return claim(home, Claim(likeness=Likeness.now(arguments or ARGUMENTS, own), job="a job"))


def the_driver(home: Path, state: str) -> KeptDriver:
    """The keeper's one driver, once it is in that state."""

    def found() -> KeptDriver | None:
        return next((each for each in kept_drivers(home) or () if each.state == state), None)

    driver: KeptDriver = awaited(found, 120, every=0.05)
    return driver
