"""What a trial changes inside a process that lands: asked for by variables that only chaos' entries read."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import deltalake
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from headrace.tables.warehouse import Warehouse

UNLOCKED = "CHAOS_UNLOCKED"
"""Any value: the stream's lock is left alone."""

LOST_ANSWER = "CHAOS_LOST_ANSWER"
"""`table:n`: the nth commit to the table goes through, and its caller is told that it failed."""


def tamper() -> None:
    """Change what the variables ask for, in this process."""
    if UNLOCKED in os.environ:
        Warehouse.writing = _prepared_only  # type: ignore[method-assign, assignment]  # the point of it
    if LOST_ANSWER in os.environ:
        table, passing = os.environ[LOST_ANSWER].split(":")
        _lose_answer(table, int(passing))


@contextmanager
def _prepared_only(warehouse: Warehouse, seconds: float = 0.0) -> Iterator[None]:
    assert seconds == 0.0
    warehouse.prepare()
    yield


def _lose_answer(name: str, passing: int) -> None:
    passed: Counter[str] = Counter()

    def losing(commit: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(commit)
        def committed(table: DeltaTable | str, *args: Any, **kwargs: Any) -> None:
            commit(table, *args, **kwargs)
            passed[_name(table)] += 1
            if _name(table) == name and passed[name] == passing:
                raise CommitFailedError("the answer to a commit was lost, by a trial of chaos")

        return committed

    # An answer is lost by this alone: delta-rs has no hook between a commit and its answer.
    DeltaTable.create_write_transaction = losing(DeltaTable.create_write_transaction)  # type: ignore[method-assign]
    deltalake.write_deltalake = losing(deltalake.write_deltalake)


def _name(table: DeltaTable | str) -> str:
    return Path(table if isinstance(table, str) else table.table_uri).name
