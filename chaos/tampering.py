"""What a trial changes inside a process that lands: asked for by variables that only chaos' entries read."""

import inspect
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from functools import wraps
from pathlib import Path
from typing import Any

import deltalake
from confluent_kafka import Producer
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from headrace.publish import transactions
from headrace.tables.warehouse import Warehouse

UNLOCKED = "CHAOS_UNLOCKED"
"""Any value: the stream's lock is left alone."""

CLOCK = "CHAOS_CLOCK"
"""Seconds by which the process's clock differs, as Python and the timestamps of records have it."""

LOST_ANSWER = "CHAOS_LOST_ANSWER"
"""`table:n`: the nth commit to the table goes through, and its caller is told that it failed."""


SENT = ("topic", "value", "key", "partition", "callback", "on_delivery", "timestamp", "headers")
"""What confluent-kafka's `produce` takes, in its order."""


def tamper() -> None:
    """Change what the variables ask for, in this process."""
    if UNLOCKED in os.environ:
        Warehouse.writing = _prepared_only  # type: ignore[method-assign, assignment]  # the point of it
    if CLOCK in os.environ:
        _shift_clock(timedelta(seconds=float(os.environ[CLOCK])))
    if LOST_ANSWER in os.environ:
        table, passing = os.environ[LOST_ANSWER].split(":")
        _lose_answer(table, int(passing))


@contextmanager
def _prepared_only(warehouse: Warehouse, seconds: float = 0.0) -> Iterator[None]:
    assert seconds == 0.0
    warehouse.prepare()
    yield


def _shift_clock(shift: timedelta) -> None:
    """What librdkafka and delta-rs wait for and note of their own goes by the machine's clock."""

    class AnyDatetime(type):
        def __instancecheck__(cls, other: object) -> bool:
            return isinstance(other, datetime)

    class Shifted(datetime, metaclass=AnyDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # no instance of its own
            return datetime.now(tz) + shift

    class Shifting(Producer):
        def produce(self, *args: Any, **kwargs: Any) -> None:
            given = dict(zip(SENT, args, strict=False)) | kwargs
            super().produce(**given | {"timestamp": int(time.time() * 1000)})

    right = time.time
    time.time = lambda: right() + shift.total_seconds()
    for name, module in list(sys.modules.items()):
        if name.startswith("headrace") and "datetime.now(" in inspect.getsource(module):
            module.datetime = Shifted  # type: ignore[attr-defined]
    transactions.Producer = Shifting  # type: ignore[attr-defined]


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
