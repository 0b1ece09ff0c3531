"""From a sample to a draft: one guess after the other, each settled before the next builds on it."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from headrace.contract.model import OTHER_DAGS
from headrace.contract.number_form import PLAIN
from headrace.draft.cadence import guess_cadence
from headrace.draft.clocks import guess_zone
from headrace.draft.columns import Column, profiles
from headrace.draft.guess import Guess, Settle
from headrace.draft.identity import Known, guess_identity
from headrace.draft.look import Look
from headrace.draft.sample import Sample
from headrace.draft.times import Time, find_times, guess_time, instants_of
from headrace.draft.values import Values, values_of
from headrace.errors import SourceError

Y2K = date(2000, 1, 1)


@dataclass(frozen=True)
class Draft:
    """All that was guessed of a sample."""

    sample: Sample
    columns: tuple[Column, ...]
    values: Values
    time: Guess[Time]
    zone: Guess[str]
    known: Guess[Known]
    every: Guess[timedelta | None]
    earliest: Guess[date]
    latest: Guess[timedelta | None]

    @property
    def guesses(self) -> dict[str, Guess[Any]]:
        """By what they are of."""
        form = self.values.form
        text = {"encoding": self.sample.encoding, "delimiter": self.sample.delimiter}
        return {
            **{name: guess for name, guess in text.items() if guess},
            "time": self.time,
            "identity": self.known,
            "zone": self.zone,
            "cadence": self.every,
            "earliest": self.earliest,
            **({"numbers": form} if form.value != PLAIN or not form.sure else {}),
            **({"no value": self.values.sentinels} if self.values.sentinels.value else {}),
            **({"latest": self.latest} if self.latest.value else {}),
        }

    @property
    def unsure(self) -> list[str]:
        """What nobody has settled."""
        return [name for name, guess in self.guesses.items() if not guess.sure]

    @property
    def signals(self) -> tuple[Column, ...]:
        """The columns that hold measured values, or anything else that is neither time nor device."""
        apart = {*self.time.value.fields, self.known.value.entity, *self.nameless}
        return tuple(column for column in self.columns if column.name not in apart)

    @property
    def gives_names(self) -> bool:
        """Whether the contract must name the columns: the header does not, or not those that it needs."""
        shape, known = self.sample.shape, self.known.value
        if shape is None or not shape.made:
            return False
        needed = {*self.time.value.fields, known.entity, *(known.identity or ())}
        named = {column.name for column in self.columns} - shape.made - needed
        return not shape.header or not named or bool(shape.made & needed)

    @property
    def nameless(self) -> frozenset[str]:
        """The columns that the contract cannot name, as it takes the names of the header."""
        shape = self.sample.shape
        return frozenset() if shape is None or self.gives_names else shape.made


def draft_of(sample: Sample, settle: Settle[Any], timezone: str | None) -> Draft:
    """The draft of a sample.

    Raises:
        SourceError: none of its columns is a time.
    """
    look = sample.look
    columns = profiles(look)
    times = find_times(look, columns)
    if not times:
        raise SourceError(
            f"{sample.place}: no time was found in {_listed(look.names)}; a record needs the time of its "
            "event. If one of them is a time, write the contract by hand and say its format (docs/how-to)"
        )
    time = _read_anew(look, settle(guess_time(times)))
    known = settle(guess_identity(look, time.value, columns))
    devices = look.column(known.value.entity) if known.value.entity else None
    zone = settle(guess_zone(time.value, look.texts(time.value.fields), devices, timezone))
    every = settle(guess_cadence(time.value.instants, devices))
    latest = settle(_latest(time.value))
    values = values_of([each for each in columns if each.name not in time.value.fields])
    values = replace(values, form=settle(values.form), sentinels=settle(values.sentinels))
    return Draft(sample, columns, values, time, zone, known, every, _earliest(time.value), latest)


def _read_anew(look: Look, guess: Guess[Time]) -> Guess[Time]:
    """With the instants of the pattern that was chosen."""
    return replace(guess, value=replace(guess.value, instants=instants_of(look, guess.value)))


def _earliest(time: Time) -> Guess[date]:
    """The default, unless the sample is older; a few times of 1970 are no reason, batteries run down."""
    instants = time.instants.drop_nulls()
    first = instants.min()
    assert isinstance(first, datetime)  # noqa: S101  # there is a time
    early = int((instants.dt.date() < Y2K).sum())
    if not early:
        return Guess(Y2K, f"the first is {first:%Y-%m-%d %H:%M}")
    rest = instants.filter(instants.dt.date() >= Y2K)
    if early < 0.01 * len(instants) and first.year <= 1980:
        saw = f"{early:,} are older, the first is {first:%Y-%m-%d %H:%M}: clocks that were not set; refused"
        return Guess(Y2K, f"{saw}; the others begin on {rest.dt.date().min()!s}")
    return Guess(date(max(first.year // 10 * 10, 1680), 1, 1), f"the first is {first:%Y-%m-%d %H:%M}")


def _latest(time: Time) -> Guess[timedelta | None]:
    """None is the default: a day from when the record was written."""
    instants = time.instants.drop_nulls()
    now = datetime.now(UTC)
    ahead = int((instants > now + timedelta(days=1)).sum())
    last = instants.max()
    assert isinstance(last, datetime)  # noqa: S101  # there is a time
    saw = f"the last is {last:%Y-%m-%d %H:%M}"
    if not ahead:
        return Guess(None, saw)
    days = timedelta(days=min(36_525, 2 * (last - now).days + 1))
    return Guess(
        days,
        f"{ahead:,} times lie in the future, {saw}: forecasts, or a clock that is wrong",
        sure=False,
        question="How far ahead may a time be?",
        others=(None,),
    )


def stream_of(name: str) -> str:
    """A stream's id out of a file's or a topic's name."""
    stem = re.sub(r"(\.(csv|tsv|txt|dat|json|jsonl|ndjson|parquet|gz|bz2|zst))+$", "", name.lower())
    words = re.sub(r"[^a-z0-9]+", "_", stem).strip("_")
    words = words if re.match("[a-z]", words) else f"stream_{words}".rstrip("_")
    return f"{words}_stream" if words in OTHER_DAGS else words[:63].rstrip("_")


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8:,} more"
