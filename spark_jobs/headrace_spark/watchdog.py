"""A driver ends when the process that it works for is gone, and takes its JVM with it."""

import os
import threading
import time
from collections.abc import Sequence

import psutil
from pyspark import SparkContext

from headrace.job import Guardian

SECONDS = 1.0


def watch(guardians: Sequence[Guardian]) -> None:
    """Watch the guardians, and the JVM that started this process, from a thread of its own."""
    jvm = os.getppid()

    def look() -> None:
        while os.getppid() == jvm and all(map(is_alive, guardians)):
            time.sleep(SECONDS)
        _end()

    threading.Thread(target=look, name="watchdog", daemon=True).start()


def is_alive(guardian: Guardian) -> bool:
    """Whether that very process still runs, and not a later one with its id."""
    try:
        process = psutil.Process(guardian.pid)
        started: float = process.create_time()
        return abs(started - guardian.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end() -> None:
    """At once and without tidying up: the next try finds the tables as a crash leaves them and heals them."""
    jvm = SparkContext._jvm  # noqa: SLF001  # the session may be at any point of its life
    try:
        if jvm is not None:
            jvm.java.lang.Runtime.getRuntime().halt(143)  # first: the lock on the stream is this process's
    except Exception:  # noqa: S110  # it answers by closing the connection, and may be gone already
        pass
    finally:
        os._exit(143)
