"""Processes of one stack are found and ended, and no others."""

import os
import subprocess
import sys
from pathlib import Path

from local.stack import processes


def test_processes_are_known_by_their_mark(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    homes = [tmp_path / "one", tmp_path / "one two"]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, processes.MARK: str(home)})
        for home in homes
    ]
    try:
        assert [p.pid for p in processes.belonging(homes[0])] == [started[0].pid]
        assert processes.end(homes[0]) == 1
        assert started[1].poll() is None
        assert processes.end(homes[0]) == 0
    finally:
        for process in started:
            process.kill()
            process.wait()
