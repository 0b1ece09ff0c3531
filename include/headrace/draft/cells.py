"""What a single cell looks like: a number, and by which signs, or something that may be a time."""

import re

POINT = r"^\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
COMMA = r"^\s*[+-]?(?:[0-9]+,[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
POINT_GROUPED = r"^\s*[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?\s*$"
COMMA_GROUPED = r"^\s*[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?\s*$"

MISSING = frozenset(
    {
        "na",
        "n/a",
        "#n/a",
        "nan",
        "null",
        "none",
        "nil",
        "-",
        "--",
        "---",
        ".",
        "?",
        "\\n",
        "nat",
        "missing",
        "#value!",
    }
    | {"m", "*", "no data", "nodata", "inv", "n.a.", "x"}
)
"""What people write where there is no value, in lower case."""

_NUMBER = re.compile("|".join((POINT, COMMA, POINT_GROUPED, COMMA_GROUPED)))
_DATED = re.compile(
    r"^\W*[0-9]{1,4}[-/. :][0-9A-Za-z]{1,9}[-/. :][0-9]{1,4}|^[A-Za-z]{3,9},? [0-9]{1,2},? [0-9]{4}"
)


def is_value(cell: str) -> bool:
    """Whether it is what stands in rows and not in a header: a number, a date, a time, a word for nothing."""
    return bool(_NUMBER.match(cell) or _DATED.match(cell)) or cell.strip().lower() in MISSING
