"""One thing that a contract asks of a record."""

from dataclasses import dataclass

import polars as pl

from headrace.parse.naming import SHOWN
from headrace.parse.reasons import Reason


@dataclass(frozen=True)
class Check:
    """A reason to refuse a record where `fails` holds; its message shows the `given` text."""

    reason: Reason
    place: str
    fails: pl.Expr
    given: pl.Expr | None = None

    @property
    def message(self) -> pl.Expr:
        """What is said of a record that fails."""
        text = pl.lit(f"{self.reason.text}; {self.place}")
        return text if self.given is None else text + ": " + self.given.str.head(SHOWN)
