"""A text to an instant, by the contract's format and zone, strictly."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

from headrace.contract import EventTime


def instant(text: Column, event_time: EventTime) -> Column:
    """The instant; null where the text is no time of the format, or one that a clock change skips.

    The session's zone must be the contract's. Of a local time that a clock change
    doubles it is the first.
    """
    time = F.try_to_timestamp(text, F.lit(event_time.format))
    if _names_a_zone(event_time.format):
        return time
    # Spark moves a skipped local time forward. Read as UTC it stays where it is, so the two tell it.
    as_utc = F.try_to_timestamp(F.concat(text, F.lit("Z")), F.lit(f"{event_time.format}X"))
    wall_clock = F.from_utc_timestamp(time, event_time.timezone)
    return F.when(F.unix_micros(wall_clock) == F.unix_micros(as_utc), time)


def _names_a_zone(pattern: str) -> bool:
    unquoted = re.sub(r"'[^']*'", "", pattern)
    return any(letter in unquoted for letter in "VzOXxZ")
