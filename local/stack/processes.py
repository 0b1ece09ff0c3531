"""Processes of a stack, known by a mark in their environment: found and ended without touching others."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "HEADRACE_STACK"
"""The environment variable that every process of a stack inherits; its value is the stack's home."""


def belonging(home: Path) -> list[psutil.Process]:
    """The live processes of the stack in `home`: parts, task processes, Spark drivers, whoever their parent.

    This process and its ancestors are never among them.
    """
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [p for p in psutil.process_iter() if p.pid not in spared and _has_mark(p, str(home))]


def _has_mark(process: psutil.Process, home: str) -> bool:
    try:
        if process.uids().real != os.getuid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get(MARK) == home
    except psutil.Error:  # it ended meanwhile, or is not ours to look at
        return False


def end(home: Path, patience: float = 10) -> int:
    """End all processes of the stack in `home`: asked first, killed after `patience` seconds.

    Returns how many there were. Looks again after each round: a process may start another while it ends.
    """
    ended: set[int] = set()
    while processes := belonging(home):
        ended.update(process.pid for process in processes)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, stubborn = psutil.wait_procs(processes, timeout=patience)
        for process in stubborn:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(stubborn, timeout=patience)
    return len(ended)
