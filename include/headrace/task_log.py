"""Lines for the person who reads a task's log."""

from collections.abc import Callable

Report = Callable[[str], None]
"""Takes one line; a task gives its logger's, a command its terminal's."""


def say(line: str) -> None:
    """One line at once; a Spark driver's standard output is its task's log."""
    print(line, flush=True)  # noqa: T201  # this is the one place that prints to a task's log
