"""Crash points do nothing unless a test asks, and then end the process where it asked."""

import os
import signal
import subprocess
import sys

import pytest

PASS_THRICE = """
from headrace.crash_points import crash_point
for number in range(3):
    crash_point("land.after")
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    ("wanted", "passed"),
    [
        ("", 3),
        ("land.before", 3),
        ("land.after:4", 3),
        ("land.after", 0),
        ("land.after:1", 0),
        ("land.after:3", 2),
    ],
)
def test_a_process_ends_at_the_passing_that_is_asked_for(wanted: str, passed: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PASS_THRICE],
        env={**os.environ, "HEADRACE_CRASH_AT": wanted},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == (0 if passed == 3 else -signal.SIGKILL)
    assert len(ended.stdout.split()) == passed


def test_a_process_stops_where_it_is_asked_to_and_goes_on() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PASS_THRICE],
        env={**os.environ, "HEADRACE_STOP_AT": "land.after:2"},
        stdout=subprocess.PIPE,
        text=True,
    ) as stopped:
        _, status = os.waitpid(stopped.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        stopped.send_signal(signal.SIGCONT)
        output, _ = stopped.communicate(timeout=60)
    assert (stopped.returncode, output.split()) == (0, ["0", "1", "2"])
