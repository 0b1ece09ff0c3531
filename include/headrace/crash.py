"""Named points at which a test may have the process killed, as a power cut would; inert otherwise."""

import os
import signal
from collections import Counter

_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Kill this process with SIGKILL if HEADRACE_CRASH_AT is `name`, or `name:n` at the nth passing."""
    wanted = os.environ.get("HEADRACE_CRASH_AT")
    if not wanted:
        return
    _passed[name] += 1
    if wanted in {f"{name}:{_passed[name]}", name}:
        os.kill(os.getpid(), signal.SIGKILL)
