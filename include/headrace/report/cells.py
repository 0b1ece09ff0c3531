"""A value of a table as text for a person's eye: one rule for report, command and demonstration."""

import re
from datetime import datetime

SHOWN = 500
"""How many characters of a value are shown: one of a record may be a megabyte."""

ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal or a page acts on instead of showing it (control characters, ends of lines, directions of
writing), and half pairs, which no output can encode."""


def cell(value: object, between: str = ", ") -> str:
    """A value of a table; of a map its parts, with `between` between them, but for those that are null."""
    if isinstance(value, dict):
        parts = ((name, part) for name, part in value.items() if part is not None)
        return between.join(f"{cell(name)} = {cell(part)}" for name, part in parts)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    text = "" if value is None else str(value)
    return visible(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def visible(text: str, but: str = "") -> str:
    r"""The text with every character that would act written out, as in `\x1b`; those in `but` stay."""
    return ACTING.sub(lambda found: found[0] if found[0] in but else _escaped(found[0]), text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
