"""What `event_time.format` may say besides a pattern of letters: ISO 8601, and numbers since 1970."""

from dataclasses import dataclass

from headrace.contract.time_pattern import TimePattern, translated

ISO = "iso"

_DATE = "(?P<yyyy0>[0-9]{4})-(?P<MM1>0[1-9]|1[0-2])-(?P<dd2>0[1-9]|[12][0-9]|3[01])"
_CLOCK = (
    "(?P<HH3>[01][0-9]|2[0-4]):(?P<mm4>[0-5][0-9])"
    "(?::(?P<ss5>[0-5][0-9])(?:[.,](?P<SSSSSSSSS6>[0-9]{1,9}))?)?"
)
_OFFSET = "(?P<XXX7>Z|[+-](?:0[0-9]|1[0-8])(?::?[0-5][0-9])?)"

ISO_TIME = TimePattern(
    f"(?i)^{_DATE}(?:[T ]{_CLOCK}{_OFFSET}?)?$",
    {f"{run}{at}": run for at, run in enumerate(("yyyy", "MM", "dd", "HH", "mm", "ss", "S" * 9, "XXX"))},
)
"""A date, or date and time with a T or a blank between; 24:00 is the next day's midnight."""


@dataclass(frozen=True)
class Epoch:
    """A number of units since 1970-01-01T00:00:00Z, whole or with a fraction.

    `digits`: of a second's fraction that a unit's whole numbers have.
    """

    digits: int


EPOCHS = {"epoch_s": Epoch(0), "epoch_ms": Epoch(3), "epoch_us": Epoch(6), "epoch_ns": Epoch(9)}


def time_format(written: str) -> TimePattern | Epoch:
    """What the contract's format means; raises as `translated`."""
    if written == ISO:
        return ISO_TIME
    return EPOCHS.get(written) or translated(written)


def spells_an_instant_in_many_ways(written: str) -> bool:
    """Whether texts that differ can be one instant: with an offset or a zone, or without letters."""
    meaning = time_format(written)
    if written == ISO or isinstance(meaning, Epoch):
        return True
    return bool(meaning.runs("offset") or meaning.runs("zone"))
