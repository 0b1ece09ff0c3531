"""A text to an instant, by the contract's format and zone, strictly."""

import re
from collections.abc import Iterator

from pyspark.sql import Column
from pyspark.sql import functions as F

from headrace.contract.model import EventTime

TOKEN = re.compile(
    r"'(?P<quoted>(?:[^']|'')*)'|(?P<run>(?P<letter>[A-Za-z])(?P=letter)*)|(?P<other>.)", re.DOTALL
)

LONGEST = 255
"""Longer texts are not looked at: matching a pattern with two words takes the square of a text's length."""


def instant(text: Column, event_time: EventTime) -> Column:
    """The instant; null where the text is no time of the format, or one that a clock change skips.

    The session's zone must be the contract's. A local time that a clock change doubles is
    the first of the two.
    """
    # A year beyond 294247, which the letters yyyy permit with a sign, does not make `try_to_timestamp` null:
    # it overflows, which would stop the stream at that record for ever.
    text = F.when(text.rlike(shape(event_time.format)), text)
    time = F.try_to_timestamp(text, F.lit(event_time.format))
    if _names_a_zone(event_time.format):
        return time
    # Spark moves a skipped local time forward. Read as UTC it stays where it is, so the two differ.
    as_utc = F.try_to_timestamp(F.concat(text, F.lit("Z")), F.lit(f"{event_time.format}X"))
    wall_clock = F.from_utc_timestamp(time, event_time.timezone)
    return F.when(F.unix_micros(wall_clock) == F.unix_micros(as_utc), time)


def shape(pattern: str) -> str:
    """A regular expression that fits every text of the pattern whose year has five digits at most."""
    return rf"(?is)^(?=.{{1,{LONGEST}}}\z){''.join(_parts(pattern))}\z"


def _parts(pattern: str) -> Iterator[str]:
    for token in TOKEN.finditer(pattern):
        letter, length = token["letter"], len(token["run"] or "")
        if letter is None:
            literal = token["other"] or token["quoted"].replace("''", "'") or "'"
            yield {"[": "(?:", "]": ")?"}.get(token["other"], re.escape(literal))
        elif letter in "yuY":
            yield "[+-]?[0-9]{1,5}"
        elif letter in "aGBVzOxXZ" or (letter in "MLEecqQ" and length > 2):
            yield ".+"
        else:
            yield f"[0-9]{{1,{max(length, 3 if letter == 'D' else 2)}}}"


def _names_a_zone(pattern: str) -> bool:
    unquoted = re.sub(r"'[^']*'", "", pattern)
    return any(letter in unquoted for letter in "VzOXxZ")
