"""What a process and all that it starts cost: time, processor time, memory."""

import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from headrace.errors import RunFailed

EVERY = 0.1
"""Seconds between two looks at a process and its children."""


@dataclass(frozen=True)
class Cost:
    """Of a process and its descendants: seconds, processor seconds, most bytes of all and of the largest."""

    seconds: float
    cpu: float
    memory: int
    largest: int = 0


@dataclass
class _Watch:
    """Looks at a process and its descendants; one that lives between two looks is not seen."""

    of: psutil.Process
    cpu: dict[psutil.Process, float] = field(default_factory=dict)
    memory: int = 0
    largest: int = 0

    def look(self) -> None:
        """Note what each has used by now, and what all hold together."""
        held = 0
        try:
            tree = [self.of, *self.of.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in tree:
            try:
                with process.oneshot():
                    used = process.cpu_times()
                    memory = process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            self.cpu[process] = used.user + used.system
            held, self.largest = held + memory, max(self.largest, memory)
        self.memory = max(self.memory, held)

    def until(self, ended: threading.Event) -> None:
        """Look again and again."""
        while not ended.wait(EVERY):
            self.look()


def cost_of(start: Callable[[], "subprocess.Popen[str]"], line: Callable[[str], None]) -> Cost:
    """Start a process, hand out each line of its output, and say what it cost when it has ended.

    Raises:
        RunFailed: it failed; the end of its output is the message.
    """
    began = time.monotonic()
    process = start()
    ended, said = threading.Event(), list[str]()
    watch = _Watch(psutil.Process(process.pid))
    watching = threading.Thread(target=watch.until, args=(ended,))
    watching.start()
    try:
        for each in process.stdout or ():
            said.append(each)
            line(each.rstrip())
        process.wait()
    except BaseException:
        process.kill()
        raise
    finally:
        ended.set()
        watching.join()
    if process.returncode:
        raise RunFailed("".join(said[-20:]))
    return Cost(time.monotonic() - began, sum(watch.cpu.values()), watch.memory, watch.largest)
