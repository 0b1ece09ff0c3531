"""Problems in words: the first of a kind by name, the rest as a number."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from headrace.reconcile.number_set import Numbers

NAMED = 20
"""How many single rows or records a message names; the rest is counted."""

Of = TypeVar("Of")


def named(numbers: Iterable[tuple[Of, Numbers]], say: Callable[[Of, int], str]) -> list[str]:
    """A line for each of the first numbers, which come in parts with what they are of."""
    said: list[str] = []
    more = 0
    for of, part in numbers:
        first = part[: NAMED - len(said)].tolist()
        said += [say(of, number) for number in first]
        more += len(part) - len(first)
    return [*said, f"… and {more} more like it"] if more else said
