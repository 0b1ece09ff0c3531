"""Processes of a trial: a publisher or a driver that is stopped, continued, killed and listened to."""

import os
import signal
import subprocess
import threading
from contextlib import suppress

import psutil

from headrace.settings import PROJECT
from testbed.stages import Outcome
from testbed.waiting import PATIENCE, awaited


class Missed(AssertionError):
    """The process ended, or time ran out, before the point at which the fault was to strike."""


class Running:
    """A command in a process group of its own; its output is read all the while."""

    def __init__(self, command: list[str], environment: dict[str, str], given: str = "") -> None:
        self._process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert self._process.stdin
        self._process.stdin.write(given)
        self._process.stdin.close()
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        self._lines.extend(self._process.stdout)

    @property
    def first(self) -> psutil.Process:
        """The process itself: a publisher, or a driver's JVM."""
        return psutil.Process(self._process.pid)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def tree(self) -> list[psutil.Process]:
        """It and its children, as far as they live."""
        with suppress(psutil.NoSuchProcess):
            return [self.first, *self.first.children(recursive=True)]
        return []

    def python(self) -> psutil.Process:
        """A driver's Python, once it runs."""
        children = awaited(lambda: [p for p in self.tree()[1:] if "land.py" in _command(p)])
        python: psutil.Process = children[0]
        return python

    def executors(self) -> list[psutil.Process]:
        """The Python processes of a driver's executors, as far as there are any."""
        return [process for process in self.tree()[1:] if "pyspark.daemon" in _command(process)]

    def await_stop(self) -> "Running":
        """Return when a process of the tree has stopped at its point.

        Raises:
            Missed: it ended instead.
        """

        def stopped() -> bool:
            if not self.alive:
                raise Missed(f"it ended before its point: {self.ended()}")
            return any(_status(process) == psutil.STATUS_STOPPED for process in self.tree())

        awaited(stopped)
        return self

    def proceed(self) -> None:
        """Continue what is stopped."""
        for process in self.tree():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def limit_files(self, size: int) -> None:
        """From now on no process of the tree may make a file larger than `size`: its disk is full."""
        for process in self.tree():
            process.rlimit(psutil.RLIMIT_FSIZE, (size, size))

    def limit_memory(self, spare: int) -> None:
        """From now on each process of the tree gets no more than `spare` bytes beyond what it has."""
        for process in self.tree():
            most = process.memory_info().vms + spare
            process.rlimit(psutil.RLIMIT_AS, (most, most))

    def kill(self) -> None:
        """Kill it with its children, at once; an executor's Python is in a process group of its own."""
        children = self.tree()[1:]
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for process in children:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def ended(self) -> Outcome:
        """Wait for its end."""
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return Outcome(code, "".join(self._lines))


def _command(process: psutil.Process) -> str:
    """Its command line; empty if it has ended meanwhile."""
    with suppress(psutil.NoSuchProcess):  # which a zombie counts as
        return " ".join(process.cmdline())
    return ""


def _status(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return str(process.status())
    return "gone"
