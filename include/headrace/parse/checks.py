"""What a contract asks of a record's values, in the order in which it is asked."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from pydantic_core import to_jsonable_python

from headrace.contract.field_types import FIRST_DAY, LAST_DAY
from headrace.contract.model import Contract
from headrace.contract.record import Record
from headrace.parse.check import Check
from headrace.parse.naming import Naming, Place
from headrace.parse.reasons import Reason
from headrace.parse.signal_checks import signal_checks


class Texts:
    """The texts of a record that anybody asks for, as columns of a frame.

    Columns are numbered: a name out of a contract could be a pattern to polars (`^.*$`).
    """

    def __init__(self, naming: Naming, record: Record) -> None:
        self._naming = naming
        self._record = record
        self.columns: dict[Place, str] = {}

    def field(self, name: str) -> pl.Expr:
        """The text of a field, or of the signal that it belongs to; null where missing, null or empty."""
        return self._at(self._naming.place(name))

    def signal(self, name: str) -> pl.Expr:
        """The text of a signal, by whichever of its fields; null where missing, null or empty."""
        return self._at(Place(name))

    def event_time(self) -> pl.Expr:
        """What the event time is read of; null where a part is missing."""
        first, *others = map(self.field, self._record.event_time.field)
        return pl.concat_str([first, *others], separator=" ") if others else first

    def _at(self, place: Place) -> pl.Expr:
        return pl.col(self.columns.setdefault(place, str(len(self.columns))))


def checks(contract: Contract, texts: Texts) -> Iterator[Check]:
    """Every check, in order; they look at the texts, at `signal_ts` and at the record's `timestamp`."""
    record = contract.record
    yield from _of_presence(record, texts)
    yield from _of_event_time(record, texts)
    for signal in record.signals:
        yield from signal_checks(signal, record, texts.signal(signal.name))


def first_failure(found: Iterable[Check]) -> tuple[pl.Expr, pl.Expr]:
    """Reason and message of the first check that fails; null where none does."""
    # A list, no chain of when and otherwise: polars walks a chain by recursion, and 1,000 signals ended it.
    every = list(found)
    reasons = [pl.when(check.fails).then(pl.lit(check.reason.value)) for check in every]
    messages = [pl.when(check.fails).then(check.message) for check in every]
    return pl.coalesce(reasons), pl.coalesce(messages)


def _of_presence(record: Record, texts: Texts) -> Iterator[Check]:
    fields = [*record.event_time.field, *(record.identity or ()), *([record.entity] if record.entity else [])]
    required = [signal.name for signal in record.signals if signal.required]
    for name in dict.fromkeys(fields):
        yield Check(Reason.MISSING_FIELD, f"field {name}", texts.field(name).is_null())
    for name in required:
        yield Check(Reason.MISSING_FIELD, f"field {name}", texts.signal(name).is_null())


def _of_event_time(record: Record, texts: Texts) -> Iterator[Check]:
    asked = record.event_time
    given = texts.event_time() if asked.field else None
    place = (
        f"field {' and '.join(asked.field)}, format {' or '.join(asked.format)}"
        if asked.field
        else "the record's timestamp in Kafka"
    )
    early, late = f"{place}, earliest {_said(asked.earliest)}", f"{place}, latest {_said(asked.latest)}"
    time = pl.col("signal_ts")
    yield Check(Reason.BAD_EVENT_TIME, place, time.is_null(), given)
    yield Check(Reason.EARLY_EVENT_TIME, early, _is_early(time, asked.earliest, asked.timezone), given)
    yield Check(Reason.LATE_EVENT_TIME, late, _is_late(time, asked.latest, asked.timezone), given)


def _is_early(time: pl.Expr, earliest: date | timedelta, timezone: str) -> pl.Expr:
    if isinstance(earliest, date):
        return time < _midnight(earliest, timezone)
    return (time < written_at() - earliest) | (time < _midnight(FIRST_DAY, timezone))


def _is_late(time: pl.Expr, latest: date | timedelta, timezone: str) -> pl.Expr:
    if isinstance(latest, date):
        return time >= _midnight(latest + timedelta(days=1), timezone)
    return (time > written_at() + latest) | (time >= _midnight(LAST_DAY + timedelta(days=1), timezone))


def written_at() -> pl.Expr:
    """When the record was written, which no later look at it changes; null where its timestamp says nothing.

    The wall clock would judge a record of a broken-off batch in another way when the batch is finished.
    """
    return pl.when(pl.col("timestamp") > datetime(1970, 1, 1, tzinfo=UTC)).then(pl.col("timestamp"))


def _said(bound: date | timedelta) -> str:
    text = str(to_jsonable_python(bound))
    return text if isinstance(bound, date) else f"{text} from its record's timestamp"


def _midnight(day: date, timezone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
