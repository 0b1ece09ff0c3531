"""A guess: what is taken for true, what was seen, and whether that is enough."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Guess(Generic[T]):
    """A value with what it was concluded from.

    `others`: what else it could be, likeliest first; `question`: how a person is asked where it is not sure;
    `read`: what makes a value of a person's answer where not only the value and the others are possible, and
    raises ValueError for what is none.
    """

    value: T
    saw: str
    sure: bool = True
    question: str = ""
    others: tuple[T, ...] = ()
    read: Callable[[str], T] | None = None

    def answered(self, value: T) -> Self:
        """The same, settled by a person."""
        return replace(self, value=value, sure=True, saw=f"you said so; {self.saw}")


Settle = Callable[[Guess[T]], Guess[T]]
"""What becomes of a guess that is not sure: a person is asked, or it stays as it is."""


def share(part: int, whole: int) -> str:
    """How many of how many, in words."""
    return f"all {whole:,}" if part == whole else f"{part:,} of {whole:,}"


def leave(guess: Guess[Any]) -> Guess[Any]:
    """Nobody is there: it stays as it is."""
    return guess
