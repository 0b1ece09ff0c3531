"""What a zone's clock shows at the times that texts mean, and whether it shows the same at another time."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from headrace.contract import record
from headrace.parse.doubled_time import DoubledTime
from headrace.parse.event_time import EventTime


class LocalTimes:
    """A contract's formats and zone, ready to read texts."""

    def __init__(self, asked: record.EventTime) -> None:
        self._zone = asked.timezone
        self._times, self._doubled = EventTime(asked.format, asked.timezone), DoubledTime(asked)

    def read(self, texts: Sequence[str | None]) -> list[tuple[datetime | None, bool]]:
        """The clock's time of each text, None of one that is no time; whether another instant shows it, too.

        That is not so where the text itself says which instant it is.
        """
        read = pl.Series(texts, dtype=pl.String)
        instants = self._times.instants(read)
        twice = self._doubled.later(read, instants).is_not_null()
        local = instants.dt.convert_time_zone(self._zone).dt.replace_time_zone(None)
        return list(zip(local, twice, strict=True))
