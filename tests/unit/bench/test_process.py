"""What a process and its children cost."""

import subprocess
import sys

import pytest

from bench.process import cost_of
from headrace.errors import RunFailed

CHILD = "import time; t = time.process_time()\nwhile time.process_time() - t < 0.6: bytes(50_000_000)"
PARENT = (
    f"import subprocess, sys; print('began'); subprocess.run([sys.executable, '-c', {CHILD!r}], check=True)"
)


def start(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_what_a_child_uses_counts() -> None:
    said: list[str] = []
    cost = cost_of(lambda: start(PARENT), said.append)
    assert said == ["began"]
    assert cost.cpu > 0.4
    assert cost.seconds > 0.4
    assert cost.memory > 10 << 20


def test_a_failure_is_an_error_with_its_words() -> None:
    with pytest.raises(RunFailed, match="no such topic"):
        cost_of(lambda: start("import sys; sys.exit('no such topic')"), lambda line: None)
