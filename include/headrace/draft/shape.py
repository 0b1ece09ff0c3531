"""The shape of a CSV file: delimiter, lines before the header, header, row of units.

Found by holding every delimiter against some hundred lines: the right one gives nearly all of them the same
number of fields. `csv.Sniffer`, tried on the same files, takes the blank or colon of a time as often.
"""

import csv
from collections import Counter
from dataclasses import dataclass

from headrace.draft.cells import is_value
from headrace.draft.guess import Guess, share
from headrace.errors import SourceError

LINES = 1_000
"""Lines from the beginning that are looked at."""

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}

Row = list[str]


@dataclass(frozen=True)
class Shape:
    """How the file's rows are read.

    `preamble`: lines before the header. `names`: one a column; those of a file without header are made up.
    `units`: the row of units behind the header, if there is one. `trailing`: rows end with a delimiter that
    parts nothing.
    """

    delimiter: str
    preamble: int
    header: bool
    names: tuple[str, ...]
    units: tuple[str, ...] = ()
    trailing: bool = False

    @property
    def first_row(self) -> int:
        """The line of the first row of data, counted from 0."""
        return self.preamble + self.header + bool(self.units)


def guess_delimiter(text: str) -> Guess[str]:
    """The delimiter that gives the most lines the same number of fields, at least two."""
    fits = {delimiter: _fit(_rows(text, delimiter)) for delimiter in DELIMITERS}
    ranked = sorted(DELIMITERS, key=lambda each: _rank(each, fits[each]), reverse=True)
    best, (width, fitting, lines) = ranked[0], fits[ranked[0]]
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


def _rank(delimiter: str, fit: tuple[int, int, int]) -> tuple[float, int]:
    width, fitting, lines = fit
    if width < 2:
        return 0.0, 0
    # a blank stands within times and names as well: it is taken where nothing else fits half as well
    return (fitting / lines) * (0.5 if delimiter == " " else 1.0), width


def _fit(rows: list[Row]) -> tuple[int, int, int]:
    """The commonest number of fields, how many lines have it, of how many that are not blank."""
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return 0, 0, 1
    width, fitting = max(widths.items(), key=lambda each: (each[1], each[0]))
    return width, fitting, widths.total()


def _rows(text: str, delimiter: str) -> list[Row]:
    lines = text.split("\n", LINES)[:LINES]
    try:
        return list(csv.reader((line.rstrip("\r") + "\n" for line in lines), delimiter=delimiter))
    except csv.Error:
        return []


def find_shape(text: str, delimiter: str, place: str) -> Shape:
    """Where header and data begin, by which rows hold values and which hold words.

    Raises:
        SourceError: no rows are found.
    """
    rows = _rows(text, delimiter)
    width, _, _ = _fit(rows)
    at = next((n for n, row in enumerate(rows) if _is_full(row, width, rows[n + 1 :])), None)
    if at is None:
        raise SourceError(f"{place}: no rows are found in it; give a sample with a header and some rows")
    data = [row for row in rows[at + 1 :] if len(row) == width]
    valued = _valued(data, width)
    if _holds_values(rows[at], valued):
        names = tuple(f"column_{number}" for number in range(1, width + 1))
        return Shape(delimiter, at, False, names)
    names = tuple(name.strip("\ufeff") for name in rows[at])
    trailing = len(names) == width - 1 or (not names[-1] and not any(row[-1] for row in data))
    own = names[: width - 1] if trailing else names
    return Shape(delimiter, at, True, own, _units(rows, at, valued), trailing)


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
