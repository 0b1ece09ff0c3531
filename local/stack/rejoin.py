"""Runs a broker's command line; one that died before is first taken out of the cluster that still expects it.

After a kill the metadata log still says that the broker leads its partitions. A broker that starts at once
believes it, and its transaction coordinator takes up a commit whose markers are not written yet. Then the
old registration's session expires, for a moment no partition has a leader, and Kafka 4.3.1 takes a partition
without a leader for a deleted one: it notes the commit as complete and never writes the markers. The
transaction hangs for ever and hides every later record from read_committed consumers (seen on 2026-11-23 in
two of five kills right after a commit: docs/decisions/2026-11-23-a-killed-broker.md). So the controller alone
is started for a second, with a session so short that it fences the old registration before anybody believes
it.

Only the standard library: it becomes the broker by `exec`.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

PROPERTIES = "controller.properties"
"""The controller's configuration, beside the broker's."""

FENCED = b"because its session has timed out"
"""What the controller logs when it takes the broker out, a moment before that stands in the metadata log."""


def died(folder: Path) -> bool:
    """Whether a broker has run in `folder` and did not end in good order."""
    return _metadata(folder).exists() and not (folder / "data" / ".kafka_cleanshutdown").exists()


def fence(broker: list[str], folder: Path, seconds: float = 30) -> None:
    """Start the controller alone; end it when the old registration is fenced, or after `seconds`."""
    command = [*broker[:-1], PROPERTIES]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as controller:
        latest = threading.Timer(seconds, controller.kill)
        latest.start()
        for line in controller.stdout or ():  # to the end, so that it never waits for a reader
            if FENCED in line:
                _await_growth(_metadata(folder))
                controller.terminate()
        latest.cancel()


def _metadata(folder: Path) -> Path:
    return folder / "data" / "__cluster_metadata-0"


def _await_growth(log: Path, seconds: float = 3) -> None:
    """Return when the log has grown; a fence that is in it already costs `seconds`."""
    size, deadline = _size(log), time.monotonic() + seconds
    while _size(log) == size and time.monotonic() < deadline:
        time.sleep(0.01)


def _size(log: Path) -> int:
    return sum(file.stat().st_size for file in log.glob("*.log"))


if __name__ == "__main__":
    if died(Path.cwd()):
        fence(sys.argv[1:], Path.cwd())
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  # the broker's own command line
