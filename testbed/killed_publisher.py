"""A publisher that is killed on the way: a process of its own, forked from one that holds the imports.

Python with all that a publisher imports takes a second to start, and many tests kill one.
"""

import os
import signal
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from headrace.contract.loader import load_contract
from headrace.publish import publishing
from headrace.publish.kinds import publish_source
from headrace.settings import load_settings

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def publish_until(
    point: str, contract: Path, config: Mapping[str, Any], environment: Mapping[str, str]
) -> None:
    """Publish, in transactions of as many rows as here, until the process is killed at that point."""
    asked = {**os.environ, **environment, "HEADRACE_CRASH_AT": point}
    process = PROCESSES.Process(target=_publish, args=(contract, dict(config), asked, publishing.ROWS))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL, process.exitcode


def _publish(contract: Path, config: dict[str, Any], environment: dict[str, str], rows: int) -> None:
    os.environ.update(environment)
    publishing.ROWS = rows
    publish_source(
        load_contract(contract),
        load_settings(),
        config,
        "killed",
        database=lambda name: make_url(os.environ[name]),
        report=lambda _: None,
    )
