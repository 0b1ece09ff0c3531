"""A contract's time pattern as a regular expression, or why it cannot be meant.

The letters are those of Java's DateTimeFormatter, which Spark's functions read as well. What each takes is
what Java's strict reader takes, years of up to five digits. Nothing heavy is imported: contracts are checked
where DAG files are parsed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from headrace.contract.meant_pattern import meant, meant_epoch

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

FIELDS = {
    "y": "year",
    **dict.fromkeys("ML", "month"),
    "d": "day",
    "D": "day of the year",
    **dict.fromkeys("Hk", "hour"),
    **dict.fromkeys("hK", "hour of half a day"),
    "a": "half of the day",
    "m": "minute",
    "s": "second",
    "S": "fraction",
    **dict.fromkeys("XxZ", "offset"),
    "V": "zone",
}
"""What a letter stands for."""

NOT_READ = {
    "Y": "Y is the year of a week; the year is y",
    "u": "the year is y",
    "E": "a weekday's name is not read",
    "G": "eras are not read",
    **dict.fromkeys(
        "zO", "short names of zones are not read, several share one; VV is a full one, XXX an offset"
    ),
}
"""Letters that Java has and that are likely meant, with what to do."""

TOKEN = re.compile(
    r"'(?P<quoted>(?:[^']|'')*)'|(?P<run>(?P<letter>[A-Za-z])(?P=letter)*)|(?P<other>.)", re.DOTALL
)


def _below_zero(least: int) -> str:
    """A year of `least` to five digits with a minus sign; Java takes none before nothing but zeros."""
    years = (f"{'0' * zeros}[1-9][0-9]{{{max(0, least - 1 - zeros)},{4 - zeros}}}" for zeros in range(5))
    return f"-(?:{'|'.join(years)})"


_MM = "[0-5][0-9]"
_OFFSETS = [
    f"[+-](?:0[0-9]|1[0-8]){rest}"
    for rest in (f"(?:{_MM})?", _MM, f":{_MM}", f"{_MM}(?:{_MM})?", f":{_MM}(?::{_MM})?")
]
_RUNS = {
    "y": f"[0-9]{{1,5}}|{_below_zero(1)}",
    "yy": "[0-9]{2}",
    "yyyy": rf"[0-9]{{4}}|\+[0-9]{{5}}|{_below_zero(4)}",
    **dict.fromkeys(("M", "L", "h"), "0?[1-9]|1[0-2]"),
    **dict.fromkeys(("MM", "LL", "hh"), "0[1-9]|1[0-2]"),
    **dict.fromkeys(("MMM", "LLL"), "|".join(name[:3] for name in MONTHS)),
    **dict.fromkeys(("MMMM", "LLLL"), "|".join(MONTHS)),
    "d": "0?[1-9]|[12][0-9]|3[01]",
    "dd": "0[1-9]|[12][0-9]|3[01]",
    "D": "[0-9]{1,3}",
    "DD": "[0-9]{2,3}",
    "DDD": "[0-9]{3}",
    "H": "[01]?[0-9]|2[0-3]",
    "HH": "[01][0-9]|2[0-3]",
    "k": "0?[1-9]|1[0-9]|2[0-4]",
    "kk": "0[1-9]|1[0-9]|2[0-4]",
    "K": "0?[0-9]|1[01]",
    "KK": "0[0-9]|1[01]",
    "a": "[AP]M",
    **dict.fromkeys(("m", "s"), "[0-5]?[0-9]"),
    **dict.fromkeys(("mm", "ss"), "[0-5][0-9]"),
    **{"S" * most: f"[0-9]{{1,{most}}}" for most in range(1, 10)},
    **{"x" * count: offset for count, offset in enumerate(_OFFSETS, 1)},
    **{"X" * count: f"{offset}|Z" for count, offset in enumerate(_OFFSETS, 1)},
    **dict.fromkeys(("Z", "ZZ", "ZZZ"), _OFFSETS[1]),
    "ZZZZZ": f"{_OFFSETS[4]}|Z",
    "VV": "[A-Z][A-Z0-9~/._+-]*",
}
"""What a run of letters reads, in whatever case."""

OPEN_ENDED = re.compile(r"[yMLdDHkhKms]|DD|S+")
"""Runs of digits that do not say themselves how many there are."""


@dataclass(frozen=True)
class TimePattern:
    """What texts of a pattern look like, and what stands where in them.

    `groups`: each group of the regular expression with the run of letters that it reads.
    """

    regex: str
    groups: dict[str, str]

    def runs(self, field: str) -> dict[str, str]:
        """The groups that read a field, such as `year`."""
        return {group: run for group, run in self.groups.items() if FIELDS[run[0]] == field}


def translated(pattern: str) -> TimePattern:
    """The pattern as a regular expression.

    Raises:
        ValueError: it cannot be read or cannot be meant; says why, and which pattern probably is.
    """
    if re.match("(?i)epoch|unix|posix|timestamp", pattern):
        unit = meant_epoch(pattern) or "epoch_s, epoch_ms, epoch_us or epoch_ns"
        raise ValueError(f"{pattern!r} is no time pattern: is {unit} meant?")
    try:
        return _translated(pattern)
    except ValueError as refused:
        likely = meant(pattern, _translated)
        hint = f"; is {likely} meant?" if likely else ""
        raise ValueError(f"{pattern!r} is no time pattern: {refused}{hint}") from None


def _translated(pattern: str) -> TimePattern:
    groups: dict[str, str] = {}
    regex = "".join(_parts(pattern, groups))
    _check_fields([FIELDS[run[0]] for run in groups.values()])
    _check_ends(pattern)
    return TimePattern(f"(?i)^{regex}$", groups)


def _parts(pattern: str, groups: dict[str, str]) -> Iterator[str]:
    """The regular expression's parts; `groups` fills on the way."""
    depth = 0
    for token in TOKEN.finditer(pattern):
        run, other = token["run"], token["other"]
        if run:
            group = f"{run}{len(groups)}"
            groups[group] = run
            yield f"(?P<{group}>{_reading(run)})"
        elif other is None:
            yield re.escape(token["quoted"].replace("''", "'") or "'")
        elif other in "[]":
            depth += 1 if other == "[" else -1
            yield "(?:" if other == "[" else ")?"
        elif other in "'{}#%":
            raise ValueError(f"{other} stands for nothing here; text stands in quotes, as in 'T'")
        else:
            yield re.escape(other)
        if depth < 0:
            raise ValueError("a ] closes nothing")
    if depth:
        raise ValueError("a [ is not closed")


def _reading(run: str) -> str:
    letter = run[0]
    if letter in NOT_READ:
        raise ValueError(NOT_READ[letter])
    if letter not in FIELDS:
        raise ValueError(f"the letter {letter} stands for nothing; text stands in quotes, as in 'T'")
    if run not in _RUNS:
        raise ValueError(f"{letter} does not stand {len(run)} times in a row")
    return _RUNS[run]


def _check_fields(fields: list[str]) -> None:
    """Refuse what could be read but makes no time, or not the one that is meant."""
    there = set(fields)
    if "year" not in there:
        raise ValueError("it has no year (y)")
    if "day" in there and "month" not in there:
        raise ValueError("it has a day (d) and no month (M)")
    if "day of the year" in there and there & {"month", "day"}:
        raise ValueError("D is the day of the year; beside a month it is d")
    if "hour of half a day" in there and "half of the day" not in there:
        raise ValueError("h is an hour of half a day; without a it is H")
    if "half of the day" in there and not there & {"hour of half a day", "hour"}:
        raise ValueError("it has a half of the day (a) and no hour (h)")
    if "fraction" in there and "second" not in there:
        raise ValueError("S is a fraction of a second; the second is s")
    if "second" in there and "minute" not in there:
        raise ValueError("it has seconds (s) and no minutes (m)")
    for before, field in zip(["", *fields], fields, strict=False):
        if field == "minute" and not before.startswith("hour"):
            raise ValueError("m is the minute and stands behind the hour; the month is M")


def _check_ends(pattern: str) -> None:
    """Refuse runs of which nothing tells where one ends and the next begins."""
    open_ended = ""
    for token in TOKEN.finditer(re.sub(r"[\[\]]", "", pattern)):
        run = token["run"] or ""
        if not run or run == "a":
            open_ended = ""
        elif OPEN_ENDED.fullmatch(run):
            if open_ended:
                raise ValueError(f"nothing tells where {open_ended} ends and {run} begins")
            open_ended = run
