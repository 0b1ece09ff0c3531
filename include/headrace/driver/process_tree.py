"""A driver's processes: spark-submit's JVM, the Python that it started, the Python of its executors."""

from contextlib import suppress

import psutil


def tree(first: psutil.Process) -> list[psutil.Process]:
    """A process with all that it started; empty where it has ended."""
    try:
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill_tree(first: psutil.Process) -> list[int]:
    """Kill a process with all that it started, at once; the ids of those there were.

    A driver may be killed at any point; the tables know where it stood.
    """
    processes = tree(first)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return [process.pid for process in processes]
