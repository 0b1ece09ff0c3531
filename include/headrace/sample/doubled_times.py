"""Local times of a sample that come twice, because a zone's clocks go back from summer to winter time."""

import re
from dataclasses import dataclass
from typing import Self

import polars as pl
import pyarrow as pa

from headrace.contract.model import Contract
from headrace.contract.time_format import Epoch, time_format
from headrace.parse.record_formats import format_of


class DoubledTimes:
    """Looks for them in parsed batches, which come in order."""

    def __init__(self, contract: Contract) -> None:
        self._identity = contract.record.identity or ()
        self._asked = contract.record.event_time
        self._read = format_of(contract).read
        self._formats = [_Format.of(each) for each in self._asked.format]
        self._count, self._first = 0, ""

    def look(self, records: pa.RecordBatch, parsed: pa.RecordBatch) -> None:
        """Count those of the batch; a record's own timestamp says itself which instant it is."""
        if not self._formats:
            return
        for at in self._in_a_doubled_hour(parsed):
            text = self._text(records["value"][at].as_py())
            if not self._says_which(text):
                self._count += 1
                self._first = self._first or f"row {parsed['provenance'][at]['offset']}, {text}"

    def warning(self) -> str | None:
        """What is to be said of them, if there are any."""
        if not self._count:
            return None
        field, zone = " and ".join(self._asked.field), self._asked.timezone
        said = (
            f"{self._count:,} of the event times stand in an hour that comes twice in {zone}, when clocks go "
            f"back to winter time (the first: {self._first}); each is taken for the earlier one."
        )
        if set(self._asked.field).issubset(self._identity):
            said += (
                f" The identity holds field {field}, which cannot tell the two hours apart: the second one's "
                "records are refused as repeats of the first one's."
            )
        return f"{said} Let the source write an offset (XXX), or UTC."

    def _in_a_doubled_hour(self, parsed: pa.RecordBatch) -> list[int]:
        """Rows whose wall clock shows a time that comes twice, whatever their text says of it."""
        zone = self._asked.timezone
        local = pl.Series(parsed["signal_ts"]).dt.convert_time_zone(zone).dt.replace_time_zone(None)
        earlier = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        later = local.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
        return (earlier != later).fill_null(value=False).arg_true().to_list()

    def _text(self, value: bytes) -> str:
        fields = dict(zip(*self._read(value), strict=True))
        return " ".join(fields[name] or "" for name in self._asked.field)

    def _says_which(self, text: str) -> bool:
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
