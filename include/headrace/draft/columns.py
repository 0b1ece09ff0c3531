"""What a column's texts are: numbers and in which form, words, nothing; what stands for no value."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from headrace.contract.number_form import PLAIN, NumberForm
from headrace.draft.cells import FORMS, MISSING
from headrace.draft.guess import share
from headrace.draft.look import Look
from headrace.numeric import number, reads

SENTINEL = r"[+-]?(?:9{2,6}0{0,2}(?:[.,](?:9|0+))?|32768)"
"""Numbers that stand, mostly below zero, for no value in files of measurements, such as -9999."""

MOST_MARKERS = 6

EXACT = 2.0**53
"""Whole numbers beyond are not exact as doubles."""

Counts = tuple[tuple[str, int], ...]
"""Texts, each with the number of rows that it stands in."""


@dataclass(frozen=True)
class Column:
    """One column; `form`: of its numbers; `rival`: one with another decimal sign that reads them as well.

    `missing`: words for no value; `odd`: what else is no number in a column of numbers; `sentinel`: a number
    that may stand for no value.
    """

    name: str
    kind: Literal["number", "text", "empty"]
    filled: int
    rows: int
    distinct: int
    whole: bool = False
    form: NumberForm = PLAIN
    rival: NumberForm | None = None
    missing: Counts = ()
    odd: Counts = ()
    sentinel: str | None = None
    lowest: float | None = None
    highest: float | None = None
    type: str = "string"

    @property
    def saw(self) -> str:
        """The column in words."""
        if self.kind == "empty":
            return f"empty in {share(self.rows, self.rows)} rows"
        empty = f"; empty in {self.rows - self.filled:,}" if self.filled < self.rows else ""
        if self.kind == "text":
            return f"words, {self.distinct:,} different{empty}"
        numbers = "whole numbers" if self.whole else "numbers"
        said = f"{numbers}, {self.lowest:,.6g} to {self.highest:,.6g}{empty}"
        for text, count in self.missing:
            said += f"; {text!r} in {count:,}, for no value"
        for text, count in self.odd:
            said += f"; {text!r} in {count:,}, no number: refused, unless `missing` lists it"
        return said


def profiles(look: Look) -> tuple[Column, ...]:
    """What each column's texts are; whether 1.234 is a fraction or a thousand the other columns say."""
    columns = [profile(name, look.column(name)) for name in look.names]
    sure = Counter(
        each.form.decimal for each in columns if each.kind == "number" and not each.whole and not each.rival
    )
    if not sure:
        return tuple(columns)
    forms = [form for form in FORMS if form.decimal == sure.most_common(1)[0][0]]
    return tuple(
        profile(each.name, look.column(each.name), forms) if each.rival else each for each in columns
    )


def profile(name: str, texts: pl.Series, forms: Sequence[NumberForm] = FORMS) -> Column:
    """What a column's texts are; of two forms that fit them alike the first is taken."""
    counts = texts.alias("text").drop_nulls().value_counts(name="rows")
    counts = counts.filter(pl.col("text") != "").sort("rows", "text", descending=[True, False])
    filled, rows = int(counts["rows"].sum()), len(texts)
    if counts.is_empty():
        return Column(name, "empty", 0, rows, 0)
    form, fitting, rival = _form(counts, forms)
    numeric = counts.select(reads(pl.col("text"), form.number)).to_series()
    words = counts.filter(~numeric)
    missing = words.filter(pl.col("text").str.to_lowercase().is_in(list(MISSING)))
    if not fitting or fitting < 0.5 * (filled - int(missing["rows"].sum())):
        return Column(name, "text", filled, rows, len(counts), type=_type_of_words(words))
    numbers = counts.filter(numeric).with_columns(number(pl.col("text"), form).alias("value"))
    sentinel = _sentinel(numbers)
    values = numbers.filter(pl.col("text") != sentinel)["value"] if sentinel else numbers["value"]
    whole = bool(numbers.select(reads(pl.col("text"), f"[+-]?{form.whole}").all()).item())
    lowest, highest = values.min(), values.max()
    assert isinstance(lowest, float) and isinstance(highest, float)  # noqa: S101, PT018  # there are some
    return Column(
        name=name,
        kind="number",
        filled=filled,
        rows=rows,
        distinct=len(counts),
        whole=whole,
        form=form,
        rival=rival,
        missing=tuple(missing.head(MOST_MARKERS).iter_rows()),
        odd=tuple(words.join(missing, on="text", how="anti").head(MOST_MARKERS).iter_rows()),
        sentinel=sentinel,
        lowest=lowest,
        highest=highest,
        type="integer" if whole and max(-lowest, highest) >= EXACT else "double",
    )


def _form(counts: pl.DataFrame, forms: Sequence[NumberForm]) -> tuple[NumberForm, int, NumberForm | None]:
    """The form that fits the most rows, how many, and one with another decimal sign that fits as many."""
    fits = counts.select(
        pl.col("rows").filter(reads(pl.col("text"), form.number)).sum().alias(str(at))
        for at, form in enumerate(forms)
    ).row(0)
    best = max(range(len(forms)), key=lambda at: fits[at])
    plain = counts.select(reads(pl.col("text"), "[+-]?[0-9]+").all()).item()
    others = (form for form, fit in zip(forms, fits, strict=True) if fit == fits[best])
    rival = next((form for form in others if form.decimal != forms[best].decimal and not plain), None)
    return forms[best], fits[best], rival


def _type_of_words(words: pl.DataFrame) -> str:
    """What words are besides words: JSON arrays and objects, true and false."""
    texts = words["text"].str.to_lowercase()
    if texts.is_in(["true", "false"]).all():
        return "boolean"
    if texts.str.starts_with("{").all() and texts.str.ends_with("}").all():
        return "struct"
    return "array" if texts.str.starts_with("[").all() and texts.str.ends_with("]").all() else "string"


def _sentinel(numbers: pl.DataFrame) -> str | None:
    """A number like -9999 that lies far from all others, or alone below zero: it may stand for no value."""
    for text, count, value in numbers.iter_rows():
        if not re.fullmatch(SENTINEL, text) or (count < 2 and abs(value) < 1000):
            continue
        others = numbers.filter(pl.col("value") != value)["value"]
        lowest, highest = others.min(), others.max()
        if not isinstance(lowest, float) or not isinstance(highest, float):
            continue
        if abs(value) > 5 * max(-lowest, highest, 0.0) or value < 0 <= lowest:
            return str(text)
    return None
