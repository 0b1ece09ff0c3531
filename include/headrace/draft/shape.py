"""The shape of a CSV file: delimiter, lines before the header, header, row of units.

Found by holding every delimiter against some hundred lines: the right one gives nearly all of them the same
number of fields. (`csv.Sniffer` finds the delimiter of 96 of 99 files of other packages, and knows neither
lines before the header nor trailing delimiters; docs/decisions/2026-11-26-a-contract-drafted.md.)
"""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice

from headrace.draft.cells import is_value
from headrace.draft.guess import Guess, share
from headrace.errors import SourceError

LINES = 1_000
"""Lines from the beginning that are looked at."""

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}

BLANK = re.compile(r"\n[ \t]*(?=\r?\n)")

Row = list[str]


@dataclass(frozen=True)
class Shape:
    """How the file's rows are read; counts are of lines.

    `preamble`: before the header. `begin`: before the first row. `names`: one a column; `made`: those that
    the file does not have, or has twice. `units`: the row of units behind the header, if there is one.
    `trailing`: rows end with a delimiter that parts nothing. `comment`: what lines between rows begin with.
    `padded`: blanks stand about names.
    """

    delimiter: str
    preamble: int
    begin: int
    header: bool
    names: tuple[str, ...]
    made: frozenset[str] = frozenset()
    units: tuple[str, ...] = ()
    trailing: bool = False
    comment: str | None = None
    blank_lines: bool = False
    padded: bool = False


def guess_delimiter(text: str) -> Guess[str]:
    """The delimiter that gives the most lines the same number of fields, at least two."""
    fits = {delimiter: _fit(_rows(text, delimiter)) for delimiter in DELIMITERS}
    ranked = sorted(DELIMITERS, key=lambda each: _rank(each, fits[each]), reverse=True)
    best, (width, fitting, lines, _) = ranked[0], fits[ranked[0]]
    if width < 2:
        return Guess(
            ",", "one column only: no delimiter parts the lines", sure=not any(s in text for s in ";\t|")
        )
    others = tuple(each for each in ranked[1:] if fits[each][0] > 1 and each != " ")
    saw = f"the {DELIMITERS[best]} parts {share(fitting, lines)} lines looked at into {width} fields"
    rival = next((each for each in others if fits[each][1] >= fitting), None)
    if rival:
        saw += f"; the {DELIMITERS[rival]} would part as many, into {fits[rival][0]}"
    sure = rival is None and fitting >= 0.9 * lines
    return Guess(best, saw, sure, "What parts the fields of a row?", others)


def _rank(delimiter: str, fit: tuple[int, int, int, int]) -> tuple[float, int]:
    width, fitting, lines, before = fit
    if width < 2:
        return 0.0, 0
    # a blank stands within times and names as well: it is taken where nothing else fits half as well
    # lines before may be no part of the table; a header not parted like its rows is no good sign
    return fitting / (lines + before / 2) * (0.5 if delimiter == " " else 1.0), width


def _fit(rows: list[Row]) -> tuple[int, int, int, int]:
    """The commonest number of fields, how many lines have it, of how many from the first on, and before."""
    filled = [row for row in rows if row]
    widths = Counter(map(len, filled))
    if not widths:
        return 0, 0, 1, 0
    width = max(widths, key=lambda each: (widths[each], each))
    first = next(at for at, row in enumerate(filled) if len(row) == width)
    return width, widths[width], len(filled) - first, first


def _rows(text: str, delimiter: str) -> list[Row]:
    return [row for row, _ in _numbered(text, delimiter)]


def _numbered(text: str, delimiter: str) -> list[tuple[Row, int]]:
    """The rows, each with the number of lines up to its end."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(row, reader.line_num) for row in islice(reader, LINES)]
    except csv.Error:
        return []


def find_shape(text: str, delimiter: str, place: str) -> Shape:
    """Where header and data begin, by which rows hold values and which hold words.

    Raises:
        SourceError: no rows are found.
    """
    numbered = _numbered(text, delimiter)
    rows = [row for row, _ in numbered]
    width, *_ = _fit(rows)
    at = next((n for n, row in enumerate(rows) if _is_full(row, width, rows[n + 1 :])), None)
    if at is None:
        raise SourceError(f"{place}: no rows are found in it; give a sample with a header and some rows")
    behind = rows[at + 1 :]
    shape = Shape(
        delimiter=delimiter,
        preamble=numbered[at - 1][1] if at else 0,
        begin=0,
        header=True,
        names=tuple(rows[at]),
        comment="#" if any(row and row[0].startswith("#") for row in behind) else None,
        blank_lines=any(not row for row in behind) or bool(BLANK.search(text, text.find("\n") + 1)),
    )
    data = [row for row in behind if len(row) == width]
    valued = _valued(data, width)
    if _holds_values(rows[at], valued):
        names, made = _names(("",) * width)
        return replace(shape, begin=shape.preamble, header=False, names=names, made=made)
    units = _units(rows, at, valued)
    trailing = len(rows[at]) == width - 1 or (not rows[at][-1] and not any(row[-1] for row in data))
    names, made = _names(shape.names[: width - 1] if trailing else shape.names)
    begin = numbered[at + bool(units)][1]
    padded = any(name != name.strip() for name in shape.names)
    return replace(shape, begin=begin, names=names, made=made, units=units, trailing=trailing, padded=padded)


def _names(header: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """A name of its own for each column, and which of them the file does not have."""
    names: list[str] = []
    for number, written in enumerate(header, 1):
        name = stem = written.strip(" \t\ufeff") or f"column_{number}"
        again = 2
        while name in names or (name != written.strip(" \t\ufeff") and name in header):
            name, again = f"{stem}_{again}", again + 1
        names.append(name)
    own = {each.strip(" \t\ufeff") for each in header}
    twice = {each for each in own if [name.strip(" \t\ufeff") for name in header].count(each) > 1}
    return tuple(names), frozenset(names) - (own - twice)


def _is_full(row: Row, width: int, behind: list[Row]) -> bool:
    """Whether it is a header or a row: as wide as the others, but for an end of theirs that parts nothing."""
    named = sum(bool(cell.strip()) for cell in row)
    if len(row) == width - 1 and not any(each[-1] for each in behind if len(each) == width):
        return named > 0
    return len(row) == width and named > 0 and 3 * named >= width


def _valued(data: list[Row], width: int) -> list[bool]:
    """Each column's: whether most of what stands in it are values, no words."""
    found = []
    for column in range(width):
        cells = [row[column] for row in data if row[column].strip()]
        found.append(bool(cells) and sum(map(is_value, cells)) > len(cells) / 2)
    return found


def _holds_values(row: Row, valued: list[bool]) -> bool:
    """Whether it is a row and no header; a header may have numbers for names, such as years, but not only."""
    cells = [cell for cell, value in zip(row, valued, strict=False) if value and cell.strip()]
    return bool(cells) and all(map(is_value, cells))


def _units(rows: list[Row], at: int, valued: list[bool]) -> tuple[str, ...]:
    """The row behind the header, if it holds no value in any column that does."""
    row = rows[at + 1] if at + 1 < len(rows) else []
    in_valued = [cell for cell, value in zip(row, valued, strict=False) if value and cell.strip()]
    if len(in_valued) < 2 or len(row) != len(rows[at]) or any(map(is_value, in_valued)):
        return ()
    return tuple(row)
