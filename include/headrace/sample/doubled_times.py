"""Local times of a sample that come twice, because a zone's clocks go back from summer to winter time."""

import polars as pl
import pyarrow as pa

from headrace.contract.model import Contract
from headrace.parse.doubled_time import DoubledTime
from headrace.parse.record_formats import format_of
from headrace.zones import comes_twice


class DoubledTimes:
    """Looks for them in parsed batches, which come in order."""

    def __init__(self, contract: Contract) -> None:
        self._identity = contract.record.identity or ()
        self._asked = contract.record.event_time
        self._read = format_of(contract)
        self._doubled = DoubledTime(self._asked)
        self._told_apart = self._asked.doubled == "by_order" and contract.own_source is not None
        self._count, self._first = 0, ""

    def look(self, records: pa.RecordBatch, parsed: pa.RecordBatch) -> None:
        """Count those of the batch; what the order of a source's rows tells apart is none.

        A record's own timestamp says itself which instant it is.
        """
        if self._told_apart or not self._asked.field:
            return
        for at in self._in_a_doubled_hour(parsed):
            text = self._text(records["value"][at].as_py())
            if not self._doubled.says_which(text):
                self._count += 1
                self._first = self._first or f"row {parsed['provenance'][at]['offset']}, {text}"

    @property
    def _taken(self) -> str:
        way = self._asked.doubled
        if way == "quarantine":
            return "refused"
        return f"taken for the {'later' if way == 'later' else 'earlier'} one"

    def warning(self) -> str | None:
        """What is to be said of them, if there are any."""
        if not self._count:
            return None
        field, zone = " and ".join(self._asked.field), self._asked.timezone
        said = (
            f"{self._count:,} of the event times stand in an hour that comes twice in {zone}, when clocks go "
            f"back to winter time (the first: {self._first}); each is {self._taken}."
        )
        if set(self._asked.field).issubset(self._identity):
            said += (
                f" The identity holds field {field}, which cannot tell the two hours apart: the second one's "
                "records are refused as conflicts with the first one's."
            )
        return f"{said} Let the source write an offset (XXX), or UTC."

    def _in_a_doubled_hour(self, parsed: pa.RecordBatch) -> list[int]:
        """Rows whose wall clock shows a time that comes twice, whatever their text says of it."""
        return comes_twice(pl.Series(parsed["signal_ts"]), self._asked.timezone).arg_true().to_list()

    def _text(self, value: bytes) -> str:
        fields = self._read.by_name(value)
        return " ".join(fields.get(name) or "" for name in self._asked.field)
