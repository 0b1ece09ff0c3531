"""What a single cell looks like: a number, and in which form, or something that may be a time."""

import re

from headrace.contract.number_form import PLAIN, NumberForm

FORMS = (
    PLAIN,
    NumberForm(","),
    NumberForm(".", ","),
    NumberForm(",", "."),
    NumberForm(",", " "),
    NumberForm(".", " "),
    NumberForm(".", "'"),
)
"""How people write numbers, the commonest first."""

MISSING = frozenset(
    {"na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "---", ".", "?", "\\n", "nat", "missing"}
    | {"#value!", "no data", "nodata", "inv", "n.a.", "*"}
)
"""What people write where there is no value, in lower case."""

_NUMBER = re.compile("|".join(f"(?:{form.number})" for form in FORMS))
_DATED = re.compile(
    r"\W*[0-9]{1,4}[-/. :][0-9A-Za-z]{1,9}[-/. :][0-9]{1,4}|[A-Za-z]{3,9},? [0-9]{1,2},? [0-9]{4}"
)


def is_value(cell: str) -> bool:
    """Whether it is what stands in rows and not in a header: a number, a date, a time, a word for nothing."""
    text = cell.strip()
    return bool(_NUMBER.fullmatch(text) or _DATED.match(text)) or text.lower() in MISSING
