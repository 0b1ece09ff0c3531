"""A driver ends when the process that it works for is gone, and takes its JVM with it."""

import os
import threading
import time
from collections.abc import Sequence

from pyspark import SparkContext

from headrace.driver.protocol import Guardian

LOOK_EVERY = 1.0
"""Seconds between two looks at the guardians."""


def watch(guardians: Sequence[Guardian]) -> threading.Event:
    """Watch the guardians, and the JVM that started this process, from a thread of its own.

    Returns an event; once it is set, the JVM alone is watched.
    """
    jvm, called_off = os.getppid(), threading.Event()

    def look() -> None:
        while os.getppid() == jvm and (called_off.is_set() or all(each.is_alive() for each in guardians)):
            time.sleep(LOOK_EVERY)
        _end()

    threading.Thread(target=look, name="watchdog", daemon=True).start()
    return called_off


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
