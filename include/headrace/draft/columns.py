"""What a column's texts are: numbers and by which signs, words, nothing; what stands for no value."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from headrace.draft.cells import COMMA, COMMA_GROUPED, MISSING, POINT, POINT_GROUPED
from headrace.draft.guess import share

SENTINELS = (
    "-9999",
    "-999",
    "-99",
    "9999",
    "99999",
    "-9999.0",
    "-999.0",
    "-99.0",
    "-999.9",
    "-99.9",
    "-32768",
)
"""Numbers that stand for no value in files of measurements."""

MOST_MARKERS = 6


@dataclass(frozen=True)
class Column:
    """One column; `decimal` is its decimal sign where it has numbers; `missing`: markers with their counts.

    `suspect`: a number that may be such a marker.
    """

    name: str
    kind: Literal["number", "text", "empty"]
    filled: int
    rows: int
    distinct: int
    whole: bool = False
    decimal: str = "."
    grouped: bool = False
    missing: tuple[tuple[str, int], ...] = ()
    suspect: str | None = None
    odd: tuple[tuple[str, int], ...] = ()
    lowest: float | None = None
    highest: float | None = None

    @property
    def saw(self) -> str:
        """The column in words."""
        if self.kind == "empty":
            return f"empty in {share(self.rows, self.rows)} rows"
        empty = f"; empty in {self.rows - self.filled:,}" if self.filled < self.rows else ""
        if self.kind == "text":
            return f"words, {self.distinct:,} different{empty}"
        numbers = "whole numbers" if self.whole else "numbers"
        signs = " with decimal commas" if self.decimal == "," and not self.whole else ""
        said = f"{numbers}{signs}, {self.lowest:,.6g} to {self.highest:,.6g}{empty}"
        for text, count in self.missing:
            said += f"; {text!r} in {count:,}, taken for no value"
        return said


def profile(name: str, texts: pl.Series) -> Column:
    """What a column's texts are."""
    counts = texts.drop_nulls().value_counts(name="rows").rename({texts.name: "text"})
    counts = counts.filter(pl.col("text").str.strip_chars() != "").sort(
        "rows", "text", descending=[True, False]
    )
    filled, rows = int(counts["rows"].sum()), len(texts)
    if counts.is_empty():
        return Column(name, "empty", 0, rows, 0)
    signs = {
        (".", False): pl.col("text").str.contains(POINT),
        (",", False): pl.col("text").str.contains(COMMA)
        | pl.col("text").str.contains(r"^\s*[+-]?[0-9]+\s*$"),
        (".", True): pl.col("text").str.contains(POINT_GROUPED) | pl.col("text").str.contains(POINT),
        (",", True): pl.col("text").str.contains(COMMA_GROUPED) | pl.col("text").str.contains(COMMA),
    }
    fits = counts.select(
        *(pl.col("rows").filter(fit).sum().alias(str(n)) for n, fit in enumerate(signs.values()))
    )
    (decimal, grouped), most = max(zip(signs, fits.row(0), strict=True), key=lambda each: each[1])
    words = counts.filter(~signs[decimal, grouped])
    missing = words.filter(pl.col("text").str.strip_chars().str.to_lowercase().is_in(list(MISSING)))
    marked = int(missing["rows"].sum())
    valued = filled - marked
    plain = Column(name, "text", filled, rows, len(counts))
    if not most or most < 0.5 * valued:
        return plain
    numbers = counts.filter(signs[decimal, grouped])
    odd = words.join(missing, on="text", how="anti")
    values = _values(numbers["text"], decimal, grouped)
    suspect = _suspect(numbers, values)
    return Column(
        name,
        "number",
        filled,
        rows,
        len(counts),
        whole=bool((numbers["text"].str.contains(r"^\s*[+-]?[0-9]+\s*$")).all()),
        decimal=decimal,
        grouped=grouped,
        missing=tuple(missing.head(MOST_MARKERS).iter_rows()),
        suspect=suspect,
        odd=tuple(odd.head(MOST_MARKERS).iter_rows()),
        lowest=values.min(),  # type: ignore[arg-type]  # of floats
        highest=values.max(),  # type: ignore[arg-type]
    )


def _values(texts: pl.Series, decimal: str, grouped: bool) -> pl.Series:
    texts = texts.str.strip_chars()
    if grouped:
        texts = texts.str.replace_all("," if decimal == "." else ".", "", literal=True)
    if decimal == ",":
        texts = texts.str.replace(",", ".", literal=True)
    return texts.cast(pl.Float64, strict=False)


def _suspect(numbers: pl.DataFrame, values: pl.Series) -> str | None:
    """A number like -9999 that lies far from all others and stands there more than once."""
    for text, count, value in zip(numbers["text"], numbers["rows"], values, strict=True):
        if text.strip() in SENTINELS and count > 1:
            others = values.filter(values != value)
            spread = max(abs(others.max() or 0), abs(others.min() or 0))  # type: ignore[arg-type]
            outside = len(others) > 0 and abs(value) > 5 * spread
            if outside:
                return str(text)
    return None
