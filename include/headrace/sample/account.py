"""What became of a sample's records: counts, and the first readings and refusals whole."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict


class Trial(BaseModel):
    """What landing would make of a sample; `row` counts its records from 1.

    `warnings`: what is read, and perhaps not as it is meant.
    """

    model_config = ConfigDict(frozen=True)

    records: int
    readings: int
    refused: dict[str, int]
    first_readings: tuple[dict[str, Any], ...]
    first_refused: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...] = ()


class Account:
    """A tally of parsed batches, which come in order; `shown`: how many of each kind it keeps whole."""

    def __init__(self, shown: int) -> None:
        self._shown = shown
        self._records = 0
        self._refused: Counter[str] = Counter()
        self._first_readings: dict[str, dict[str, Any]] = {}
        self._first_refused: list[dict[str, Any]] = []

    def add(self, parsed: pa.RecordBatch) -> None:
        """Count the parser's rows."""
        self._records += len(parsed)
        self.refuse(parsed.filter(pc.is_valid(parsed["reason"])))
        self._show_readings(parsed.filter(pc.is_null(parsed["reason"])))

    def refuse(self, refused: pa.RecordBatch) -> None:
        """Count refused rows, also repeats that were counted as readings before."""
        counts = pc.value_counts(refused["reason"])
        self._refused.update(dict(zip(*(part.to_pylist() for part in counts.flatten()), strict=True)))
        first = [_refusal(row) for row in refused.slice(0, self._shown).to_pylist()]
        self._first_refused = sorted([*self._first_refused, *first], key=_row)[: self._shown]

    def trial(self, warnings: Sequence[str]) -> Trial:
        """The whole of it."""
        counted = sorted(self._refused.items(), key=lambda each: (-each[1], each[0]))
        return Trial(
            records=self._records,
            readings=self._records - self._refused.total(),
            refused=dict(counted),
            first_readings=tuple(self._first_readings.values()),
            first_refused=tuple(self._first_refused),
            warnings=tuple(warnings),
        )

    def _show_readings(self, readings: pa.RecordBatch) -> None:
        """Keep the first readings, of each identity the first only: what follows is a repeat."""
        if len(self._first_readings) == self._shown:
            return
        identities = pl.Series(readings["provenance"].field("identity"))
        # twice as many as are shown: the others may have been there in an earlier batch
        firsts = readings.take(identities.arg_unique().sort().head(2 * self._shown).to_arrow())
        for row in firsts.to_pylist(maps_as_pydicts="strict"):
            if len(self._first_readings) < self._shown:
                self._first_readings.setdefault(row["provenance"]["identity"], _reading(row))


def _row(shown: dict[str, Any]) -> int:
    row: int = shown["row"]
    return row


def _reading(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "row": row["provenance"]["offset"],
        "signal_ts": str(row["signal_ts"].replace(tzinfo=None)),
        "entity": row["entity"],
        "signals": row.get("columns", {}) | row["signals"],
    }


def _refusal(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "row": row["provenance"]["offset"],
        "reason": row["reason"],
        "message": row["message"],
        "value": row["value"].decode(errors="replace"),
    }
