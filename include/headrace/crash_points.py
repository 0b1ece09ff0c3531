"""Named points at which a test may have the process killed or stopped; inert otherwise."""

import os
import signal
from collections import Counter

_passed: Counter[str] = Counter()

ASKED = {"HEADRACE_CRASH_AT": signal.SIGKILL, "HEADRACE_STOP_AT": signal.SIGSTOP}
"""The variable that asks, and the signal that the process then gives itself: a power cut, or a pause."""


def crash_point(name: str) -> None:
    """Act at this point if a variable of ASKED is `name`, or `name:n` at the nth passing."""
    asked = {os.environ.get(variable): act for variable, act in ASKED.items()}
    if not any(asked):
        return
    _passed[name] += 1
    for wanted, act in asked.items():
        if wanted in {f"{name}:{_passed[name]}", name}:
            os.kill(os.getpid(), act)
