"""`--minutes N`: tests that have not begun N minutes after the first one are left out, and named at the end.

For the tiers that need long: what comes first on the command line is what matters most.
"""

import time
from collections import Counter

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", type=float, help="begin no test when so many minutes are over")


class Deadline:
    """Leaves out every test that comes too late."""

    def __init__(self, minutes: float) -> None:
        self._minutes, self._ends = minutes, time.monotonic() + minutes * 60
        self._left_out: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if time.monotonic() >= self._ends:
            self._left_out[item.nodeid.partition("::")[0]] += 1
            pytest.skip(f"left out: {self._minutes:g} minutes are over")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for file, count in self._left_out.items():
            terminalreporter.write_line(f"left out after {self._minutes:g} minutes: {count} of {file}")


def pytest_configure(config: pytest.Config) -> None:
    minutes: float | None = config.getoption("--minutes")
    if minutes is not None:
        config.pluginmanager.register(Deadline(minutes), "deadline")
