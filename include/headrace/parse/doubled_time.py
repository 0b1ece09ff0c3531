"""The hour that a change to winter time doubles: which of the two a local time is of."""

import re
from dataclasses import dataclass
from typing import Self

import polars as pl

from headrace.contract.record import EventTime
from headrace.contract.time_format import Epoch, time_format
from headrace.kafka.headers import LATER, UNDECIDED
from headrace.zones import later_in_zone


class DoubledTime:
    """A contract's formats, zone and what it says of times that come twice."""

    def __init__(self, asked: EventTime) -> None:
        self._asked = asked
        self._formats = [_Format.of(each) for each in asked.format]

    def later(self, texts: pl.Series, instants: pl.Series) -> pl.Series:
        """The second instant of local times that come twice, of which `instants` has the first; else null.

        Null, too, where the text itself says which it is.
        """
        later = later_in_zone(instants, self._asked.timezone)
        twice = later.is_not_null().arg_true()
        exact = [at for at, text in zip(twice, texts.gather(twice), strict=True) if self.says_which(text)]
        return later.scatter(exact, None) if exact else later

    def settled(self, texts: pl.Series, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with `signal_ts` as is asked for, and what became of each record.

        `frame`: has `signal_ts`, and what the publisher says (`doubled`). Added are `is_later`, where its
        word made the later one of the earlier, and `is_undecided`.
        """
        way, said = self._asked.doubled, frame["doubled"]
        by_order = way == "by_order"
        if not self._formats or way == "earlier" or (by_order and said.null_count() == len(said)):
            return frame.with_columns(is_later=pl.lit(False), is_undecided=pl.lit(False))
        later = self.later(texts, frame["signal_ts"])
        there = pl.Series(later.is_not_null())
        none = pl.repeat(False, len(frame), eager=True)
        is_later = (said == LATER).fill_null(value=False) & there if by_order else none
        undecided = (said == UNDECIDED).fill_null(value=False) if by_order else there
        taken = is_later if by_order else (there if way == "later" else none)
        return frame.with_columns(
            signal_ts=pl.when(taken).then(later).otherwise(pl.col("signal_ts")),
            is_later=is_later,
            is_undecided=undecided & (way != "later"),
        )

    def says_which(self, text: str) -> bool:
        """Whether the text is exact by the first format that reads it."""
        said = (each.says_which(text) for each in self._formats)
        return next((exact for exact in said if exact is not None), False)


@dataclass(frozen=True)
class _Format:
    """A format's regular expression, and the groups of it that say an instant; no group: all of it does."""

    regex: re.Pattern[str]
    exact: tuple[str, ...] | None

    @classmethod
    def of(cls, written: str) -> Self:
        meaning = time_format(written)
        if isinstance(meaning, Epoch):
            return cls(re.compile("[0-9.eE+-]+$"), None)
        return cls(re.compile(meaning.regex), (*meaning.runs("offset"), *meaning.runs("zone")))

    def says_which(self, text: str) -> bool | None:
        """Whether an offset or a zone stands in it, or a number; None where the format does not read it."""
        found = self.regex.match(text)
        if found is None:
            return None
        return self.exact is None or any(found[group] for group in self.exact)
