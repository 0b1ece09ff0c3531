"""Which pattern somebody meant who wrote one that is none: other tools have other letters."""

import re
from collections.abc import Callable

STRPTIME = {
    "Y": "yyyy",
    "y": "yy",
    "m": "MM",
    "b": "MMM",
    "B": "MMMM",
    "d": "dd",
    "e": "d",
    "j": "DDD",
    "H": "HH",
    "I": "hh",
    "p": "a",
    "M": "mm",
    "S": "ss",
    "f": "SSSSSS",
    "z": "XX",
    "Z": "VV",
    "F": "yyyy-MM-dd",
    "T": "HH:mm:ss",
    "%": "'%'",
}
"""C's and Python's letters behind a %."""

EPOCH_UNITS = {"ns": "nano", "us": "micro", "ms": "milli", "s": "sec"}
"""Each unit with how its name begins."""


def meant_epoch(pattern: str) -> str | None:
    """The unit of a number that counts from 1970, if its name says one."""
    unit = re.sub("(?i)^(?:epoch|unix|posix|timestamp)[-_ ]?(?:time)?[-_ ]?", "", pattern).lower()
    for short, long in EPOCH_UNITS.items():
        if unit == short or unit.startswith(long):
            return f"epoch_{short}"
    return None


def meant(pattern: str, translate: Callable[[str], object]) -> str | None:
    """The pattern that was probably meant, if there is one that `translate` takes."""
    if re.fullmatch(r"(?i)(?:iso|rfc)[-_ ]?(?:8601|3339)?", pattern):
        return "iso"
    likely = _of_strptime(pattern) if "%" in pattern else _of_java(_of_sql(pattern))
    try:
        translate(likely)
    except ValueError:
        return None
    return likely


def _of_strptime(pattern: str) -> str:
    def ours(found: re.Match[str]) -> str:
        return STRPTIME.get(found[1], found[0]) if found[1] else f"'{found[0]}'"

    return re.sub("%-?(.)|[A-Za-z]+", ours, pattern)


def _of_sql(pattern: str) -> str:
    for theirs, ours in (("HH24", "HH"), ("HH12", "hh"), ("MI", "mm"), ("AM", "a"), ("PM", "a")):
        pattern = pattern.replace(theirs, ours)
    return pattern


def _of_java(pattern: str) -> str:
    """Letters of the wrong case put right, each by what stands before it; a bare T in quotes."""
    before = ""

    def right(found: re.Match[str]) -> str:
        nonlocal before
        if found[1] is None:
            return found[0]
        if found[0] == "T":
            return "'T'"
        before = _right(found[0], before, pattern)
        return before * len(found[0])

    return re.sub(r"'[^']*'|([A-Za-z])\1*", right, pattern)


def _right(run: str, before: str, pattern: str) -> str:
    letter = run[0]
    if letter in "mM":
        return "m" if before in ("H", "h", "k", "K") else "M"
    if letter == "S" and before == "m":
        return "s"
    if letter == "h" and "a" not in pattern.lower():
        return "H"
    if run == "DDD":
        return "D"
    return {"Y": "y", "u": "y", "D": "d", "A": "a"}.get(letter, letter)
