"""From a sample to a draft: one guess after the other, each settled before the next builds on it."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from headrace.contract.number_form import PLAIN
from headrace.draft.cadence import guess_cadence
from headrace.draft.clocks import guess_zone
from headrace.draft.columns import Column, profiles
from headrace.draft.encoding import guess_encoding
from headrace.draft.guess import Guess, Settle
from headrace.draft.identity import Known, guess_identity
from headrace.draft.look import Look, Records, look_at_csv, look_at_records
from headrace.draft.pieces import read_pieces
from headrace.draft.shape import Shape, find_shape, guess_delimiter
from headrace.draft.times import Time, find_times, guess_time, instants_of
from headrace.draft.values import Values, values_of
from headrace.errors import SourceError

Y2K = date(2000, 1, 1)


@dataclass(frozen=True)
class Text:
    """How a CSV file's bytes become rows."""

    encoding: Guess[str]
    delimiter: Guess[str]
    shape: Shape


@dataclass(frozen=True)
class Draft:
    """All that was guessed of a sample; `text`: of a CSV file. Zone, cadence … as a contract has them."""

    look: Look
    columns: tuple[Column, ...]
    values: Values
    time: Guess[Time]
    zone: Guess[str]
    known: Guess[Known]
    every: Guess[timedelta | None]
    earliest: Guess[date]
    latest: Guess[timedelta | None]
    text: Text | None = None

    @property
    def guesses(self) -> dict[str, Guess[Any]]:
        """By what they are of."""
        form = self.values.form
        text = {"encoding": self.text.encoding, "delimiter": self.text.delimiter} if self.text else {}
        return {
            **text,
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
        apart = {*self.time.value.fields, self.known.value.entity}
        return tuple(column for column in self.columns if column.name not in apart)


def draft_csv(file: Path, settle: Settle[Any], timezone: str | None) -> Draft:
    """The draft of a CSV file.

    Raises:
        SourceError: it cannot be read, has no rows, or none of its columns is a time.
    """
    pieces = read_pieces(file)
    encoding = settle(guess_encoding(pieces.head, cut=not pieces.whole))
    head = pieces.head.decode(encoding.value, errors="replace")
    delimiter = settle(guess_delimiter(head))
    shape = find_shape(head, delimiter.value, str(file))
    look = look_at_csv(pieces, encoding.value, shape, str(file))
    return _draft(look, settle, timezone, str(file), Text(encoding, delimiter, shape))


def draft_records(records: Records, place: str, settle: Settle[Any], timezone: str | None) -> Draft:
    """The draft of JSON records.

    Raises:
        SourceError: they are no JSON objects, or none of their fields is a time.
    """
    look = look_at_records(records)
    if look.odd > len(records.values) / 2:
        raise SourceError(
            f"{place}: {look.odd:,} of {len(records.values):,} records are no JSON objects; a contract of "
            "them must be written by hand (docs/reference/contract.md)"
        )
    return _draft(look, settle, timezone, place)


def _draft(
    look: Look, settle: Settle[Any], timezone: str | None, place: str, text: Text | None = None
) -> Draft:
    columns = profiles(look)
    times = find_times(look, columns)
    if not times:
        raise SourceError(
            f"{place}: no time was found in {_listed(look.names)}; a record needs the time of its event. If "
            "one of them is a time, write the contract by hand and say its format there (docs/how-to)"
        )
    time = _read_anew(look, settle(guess_time(times)))
    known = settle(guess_identity(look, time.value, columns))
    devices = look.column(known.value.entity) if known.value.entity else None
    zone = settle(guess_zone(time.value, look.texts(time.value.fields), devices, timezone))
    every = settle(guess_cadence(time.value.instants, devices))
    latest = settle(_latest(time.value))
    values = values_of([each for each in columns if each.name not in time.value.fields])
    values = replace(values, form=settle(values.form), sentinels=settle(values.sentinels))
    return Draft(look, columns, values, time, zone, known, every, _earliest(time.value), latest, text)


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
        return Guess(Y2K, f"{saw}; the others begin on {rest.min():%Y-%m-%d}")
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
    return "audit_stream" if words == "audit" else words[:63].rstrip("_")


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8:,} more"
