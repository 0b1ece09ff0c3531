"""Time patterns that a text could be of, by its looks alone; all texts of a column choose among them."""

import re
from collections.abc import Iterator
from itertools import product

_S = r"([-/. _])"
_DATES = (
    (rf"[0-9]{{4}}{_S}[0-9]{{2}}\1[0-9]{{2}}(?![0-9])", ("yyyy{0}MM{0}dd", "yyyy{0}dd{0}MM")),
    (rf"[0-9]{{4}}{_S}[0-9]{{1,2}}\1[0-9]{{1,2}}(?![0-9])", ("yyyy{0}M{0}d",)),
    (rf"[0-9]{{2}}{_S}[0-9]{{2}}\1[0-9]{{4}}(?![0-9])", ("dd{0}MM{0}yyyy", "MM{0}dd{0}yyyy")),
    (rf"[0-9]{{1,2}}{_S}[0-9]{{1,2}}\1[0-9]{{4}}(?![0-9])", ("d{0}M{0}yyyy", "M{0}d{0}yyyy")),
    (
        rf"[0-9]{{2}}{_S}[0-9]{{2}}\1[0-9]{{2}}(?![0-9])",
        ("dd{0}MM{0}yy", "MM{0}dd{0}yy", "yy{0}MM{0}dd"),
    ),
    (rf"[0-9]{{1,2}}{_S}[0-9]{{1,2}}\1[0-9]{{2}}(?![0-9])", ("d{0}M{0}yy", "M{0}d{0}yy")),
    (r"[0-9]{8}(?![0-9])", ("yyyyMMdd", "ddMMyyyy")),
    (rf"[0-9]{{1,2}}{_S}[A-Za-z]{{3}}\1[0-9]{{4}}", ("d{0}MMM{0}yyyy",)),
    (rf"[0-9]{{1,2}}{_S}[A-Za-z]{{3}}\1[0-9]{{2}}(?![0-9])", ("d{0}MMM{0}yy",)),
    (rf"[0-9]{{1,2}}{_S}[A-Za-z]{{4,9}}\1[0-9]{{4}}", ("d{0}MMMM{0}yyyy",)),
    (rf"[0-9]{{4}}{_S}[A-Za-z]{{3}}\1[0-9]{{1,2}}(?![0-9])", ("yyyy{0}MMM{0}d",)),
    (r"[A-Za-z]{3} [0-9]{1,2}, [0-9]{4}", ("MMM d, yyyy",)),
    (r"[A-Za-z]{3} [0-9]{1,2} [0-9]{4}", ("MMM d yyyy",)),
    (r"[A-Za-z]{4,9} [0-9]{1,2}, [0-9]{4}", ("MMMM d, yyyy",)),
    (rf"[0-9]{{4}}{_S}[A-Za-z]{{3}}(?![A-Za-z0-9])", ("yyyy{0}MMM",)),
    (rf"[0-9]{{4}}{_S}[0-9]{{2}}(?![-/._0-9])", ("yyyy{0}MM",)),
    (rf"[0-9]{{4}}{_S}[0-9]{{3}}(?![0-9])", ("yyyy{0}DDD",)),
    (r"[0-9]{4}(?![-/._0-9])", ("yyyy",)),
)
"""Dates at a text's beginning, and the patterns that they could be of; {0} is what stands between."""

_RUN_TOGETHER = (
    (r"[0-9]{14}", "yyyyMMddHHmmss"),
    (r"[0-9]{12}", "yyyyMMddHHmm"),
    (r"[0-9]{10}", "yyyyMMddHH"),
)
_JOINS = ((r"T", "'T'"), (r", ", ", "), (r" {1,3}", None), (r"[_:-]", None), (r"", ""))
_CLOCKS = (
    (r"[0-9]{2}([:.])[0-9]{2}\1[0-9]{2}([.,])([0-9]{1,9})", ("HH{1}mm{1}ss{2}{S}",)),
    (r"[0-9]{1,2}([:.])[0-9]{2}\1[0-9]{2}([.,])([0-9]{1,9})", ("H{1}mm{1}ss{2}{S}",)),
    (r"[0-9]{2}([:.])[0-9]{2}\1[0-9]{2}", ("HH{1}mm{1}ss", "kk{1}mm{1}ss")),
    (r"[0-9]{1,2}([:.])[0-9]{2}\1[0-9]{2}", ("H{1}mm{1}ss",)),
    (r"[0-9]{2}([:.])[0-9]{2}", ("HH{1}mm", "kk{1}mm")),
    (r"[0-9]{1,2}([:.])[0-9]{2}", ("H{1}mm", "k{1}mm")),
    (r"[0-9]{6}", ("HHmmss",)),
    (r"[0-9]{4}", ("HHmm", "kkmm")),
    (r"[0-9]{2}", ("HH", "kk")),
    (r"[0-9]{1,2}", ("H", "k")),
)
_HALVES = ((r" ?[AaPp][Mm]", "a"), (r"", ""))
_OFFSETS = (
    (r"[+-][0-9]{2}:[0-9]{2}|Z", "XXX"),
    (r"[+-][0-9]{4}", "XX"),
    (r"[+-][0-9]{2}", "X"),
    (r"UTC|GMT|[A-Z][a-z]+/[A-Za-z_/]+", "VV"),
)


def patterns_of(text: str) -> list[str]:
    """Every pattern that the text looks like; not each of them reads it."""
    found = [pattern for look, pattern in _RUN_TOGETHER if re.fullmatch(look, text)]
    found += [
        date + rest
        for look, patterns in _DATES
        if (match := re.match(look, text))
        for date, rest in product(_dates(match, patterns), _behind(text[match.end() :]))
    ]
    return list(dict.fromkeys(found))


def clock_patterns_of(text: str) -> list[str]:
    """Every pattern of a time of day without a date that the text looks like."""
    return list(dict.fromkeys(pattern for pattern in _clocks(text) if pattern and pattern[0] in "Hhk"))


def _dates(match: re.Match[str], patterns: tuple[str, ...]) -> list[str]:
    return [pattern.format(*match.groups()) for pattern in patterns]


def _behind(text: str) -> Iterator[str]:
    """What the rest behind a date could be: nothing, or a time of day behind a join."""
    if not text:
        yield ""
        return
    for look, written in _JOINS:
        match = re.match(look, text)
        if match:
            join = match[0] if written is None else written
            yield from (join + clock for clock in _clocks(text[match.end() :]))


def _clocks(text: str) -> Iterator[str]:
    for look, patterns in _CLOCKS:
        match = re.match(look + r"(?![0-9:])", text)
        if match:
            groups = match.groups() + ("",) * 3
            fraction = "S" * len(groups[2] or "")
            for pattern, end in product(patterns, _ends(text[match.end() :])):
                if "a" in end and "k" in pattern:
                    continue
                clock = (
                    pattern.replace("{1}", groups[0] or "")
                    .replace("{2}", groups[1] or "")
                    .replace("{S}", fraction)
                )
                yield (clock.replace("H", "h") if "a" in end else clock) + end


def _ends(text: str) -> Iterator[str]:
    """What may stand behind a clock's digits: AM or PM, an offset or a zone, or nothing."""
    for look, half in _HALVES:
        match = re.match(look, text)
        if match:
            blank = " " if half and match[0].startswith(" ") else ""
            yield from (blank + half + offset for offset in _offsets(text[match.end() :]))


def _offsets(text: str) -> Iterator[str]:
    if not text:
        yield ""
    blank = " " if text.startswith(" ") else ""
    for look, offset in _OFFSETS:
        if re.fullmatch(look, text[len(blank) :]):
            yield blank + offset
