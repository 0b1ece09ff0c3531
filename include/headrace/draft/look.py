"""The rows of a sample as columns of texts."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from headrace.draft.pieces import Pieces
from headrace.draft.shape import Shape
from headrace.errors import SourceError
from headrace.parse.json_fields import fields_of


@dataclass(frozen=True)
class Look:
    """What was seen of a sample.

    `frame`: texts, null where there is none; columns are numbered, since a name could be a pattern to polars.
    `names`: theirs. `said`: how much of the sample it is. `whole`: whether it is all of it. `trim`: texts had
    blanks about them, which are taken off here.
    """

    frame: pl.DataFrame
    names: tuple[str, ...]
    said: str
    whole: bool
    odd: int = 0
    trim: bool = False

    def texts(self, names: tuple[str, ...]) -> pl.Series:
        """The texts of those columns, with a blank between."""
        numbers = [str(self.names.index(name)) for name in names]
        return self.frame.select(pl.concat_str(numbers, separator=" ").alias("texts"))["texts"]

    def column(self, name: str) -> pl.Series:
        """The texts of that name."""
        return self.frame[str(self.names.index(name))]


def look_at_csv(pieces: Pieces, encoding: str, shape: Shape, place: str) -> Look:
    """The rows of a CSV file's pieces; what one has too few of is null, what it has too many of left out.

    Raises:
        SourceError: they are no CSV.
    """
    head = pieces.head.decode(encoding, errors="replace").split("\n", shape.begin)[-1]
    texts = [head, *(each.decode(encoding, errors="replace") for each in pieces.spread)]
    try:
        frame = pl.concat(_frame(text, shape) for text in texts)
    except pl.exceptions.PolarsError as broken:
        raise SourceError(f"{place}: cannot be read as CSV: is a quote not closed?") from broken
    whole_rows = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    said = f"{len(whole_rows):,} rows of {len(shape.names)} columns ({pieces.said})"
    kept = whole_rows.select(str(number) for number in range(len(shape.names)))
    return _trimmed(Look(kept, shape.names, said, pieces.whole))


def together(looks: Sequence[Look], said: str, whole: bool) -> Look:
    """The rows of several, in that order, by their columns' names; null where one has no such column."""
    frames = [each.frame.rename(dict(zip(each.frame.columns, each.names, strict=True))) for each in looks]
    frame = pl.concat(frames, how="diagonal")
    names = tuple(frame.columns)
    frame.columns = [str(number) for number in range(len(names))]
    odd, trim = sum(each.odd for each in looks), any(each.trim for each in looks)
    return Look(frame, names, said, whole, odd, trim)


def _trimmed(look: Look) -> Look:
    """Without blanks about the texts, of which nothing is left null."""
    frame = look.frame.with_columns(pl.all().str.strip_chars())
    trim = bool((frame != look.frame).select(pl.any_horizontal(pl.all().any())).item())
    return replace(look, frame=frame.with_columns(pl.all().replace("", None)), trim=trim)


def _frame(text: str, shape: Shape) -> pl.DataFrame:
    width = len(shape.names) + shape.trailing
    widest = shape.delimiter * (width - 1) + "\n"  # polars takes the number of columns from the first line
    return pl.read_csv(
        io.BytesIO((widest + text).encode()),
        separator=shape.delimiter,
        has_header=False,
        schema={str(number): pl.String for number in range(width)},
        comment_prefix=shape.comment,
        truncate_ragged_lines=True,
        ignore_errors=True,
    )[1:]


@dataclass(frozen=True)
class Records:
    """The values of records; `said`: how many of how many, `whole`: whether they are all."""

    values: list[bytes]
    said: str
    whole: bool


def look_at_records(records: Records) -> Look:
    """The fields of JSON objects, by the names that they have; what is no object is counted (`odd`)."""
    rows: list[dict[str, str | None]] = []
    odd = 0
    for value in records.values:
        try:
            names, texts = fields_of(value)
        except ValueError:
            odd += 1
            continue
        rows.append(dict(zip(names, texts, strict=True)))
    found = tuple(dict.fromkeys(name for row in rows for name in row))
    columns = {
        str(number): pl.Series([row.get(name) for row in rows], dtype=pl.String)
        for number, name in enumerate(found)
    }
    return _trimmed(Look(pl.DataFrame(columns), found, records.said, records.whole, odd))
