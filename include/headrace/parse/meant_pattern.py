"""Which pattern somebody meant who wrote one that is none: other tools have other letters."""

import re
from collections.abc import Callable

STRPTIME = dict(
    [
        ("Y", "yyyy"),
        ("y", "yy"),
        ("m", "MM"),
        ("b", "MMM"),
        ("B", "MMMM"),
        ("d", "dd"),
        ("e", "d"),
        ("j", "DDD"),
    ]
    + [
        ("H", "HH"),
        ("I", "hh"),
        ("p", "a"),
        ("M", "mm"),
        ("S", "ss"),
        ("f", "SSSSSS"),
        ("z", "XX"),
        ("Z", "VV"),
    ]
    + [("F", "yyyy-MM-dd"), ("T", "HH:mm:ss"), ("%", "'%'")]
)
"""C's and Python's letters behind a %."""

ISO = "yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS][XXX]"

QUOTED_OR_RUN = re.compile(r"'[^']*'|([A-Za-z])\1*")


def meant(pattern: str, translate: Callable[[str], object]) -> str | None:
    """The pattern that was probably meant, if there is one that `translate` takes."""
    if re.fullmatch(r"(?i)(?:iso|rfc)[-_ ]?(?:8601|3339)?", pattern):
        return ISO
    likely = _of_strptime(pattern) if "%" in pattern else _of_java(_of_sql(pattern))
    try:
        translate(likely)
    except ValueError:
        return None
    return likely


def _of_strptime(pattern: str) -> str:
    quoted = re.sub(r"(?<!%)[A-Za-z]+", lambda text: f"'{text[0]}'", pattern)
    return re.sub(r"%-?(.)", lambda found: STRPTIME.get(found[1], found[0]), quoted)


def _of_sql(pattern: str) -> str:
    for theirs, ours in (("HH24", "HH"), ("HH12", "hh"), ("MI", "mm"), ("AM", "a"), ("PM", "a")):
        pattern = pattern.replace(theirs, ours)
    return pattern


def _of_java(pattern: str) -> str:
    """Letters of the wrong case, each by what stands before it; a bare T in quotes."""
    before = ""

    def right(found: re.Match[str]) -> str:
        nonlocal before
        letter = found[1]
        if letter is None:
            return found[0]
        if letter == "T":
            return "'T'"
        letter = _right(letter, before, pattern)
        before = letter
        return letter * len(found[0])

    return QUOTED_OR_RUN.sub(right, pattern)


def _right(letter: str, before: str, pattern: str) -> str:
    if letter in "mM":
        return "m" if before in ("H", "h", "k", "K") else "M"
    if letter == "S" and before == "m":
        return "s"
    if letter == "h" and "a" not in pattern:
        return "H"
    if letter == "D" and "M" not in pattern.upper().replace("MM", "M"):
        return "D"
    return {"Y": "y", "D": "d"}.get(letter, letter)
