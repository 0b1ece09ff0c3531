"""Python's collector of cycles, kept from looking through millions of objects that are in none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Collect no cycles meanwhile; for code that makes a few objects a record, all soon gone by themselves.

    With the collector a landing took a quarter more processor time: messages, headers and fields are
    containers, and each 700 new ones make it look at those that a chunk still holds.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
