"""Paths into a record's value, such as `payload.after` and `data.points[0]["wind speed"]`."""

import json
import re

Path = tuple[str | int, ...]
"""Names of members and numbers of elements, from 0."""

# A name as it stands, or as JSON text in brackets; the number of an element in brackets.
STEP = re.compile(r'\.?(?P<name>[^.\[\]"]+)|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]|\[(?P<number>[0-9]{1,9})\]')

MOST = 50
"""Steps."""


def parse_path(text: str) -> Path:
    """The steps of a path.

    Raises:
        ValueError: it is none; the message says from where on.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = STEP.match(text, at)
        if found is None or (found[0].startswith(".") != (at > 0) and found["name"] is not None):
            raise ValueError(
                f"{text!r} is no path from {text[at:]!r} on; write it like a.b[0].c, and a name with dots, "
                'brackets or quotes like a["b.c"]'
            )
        steps.append(_step(found))
        at = found.end()
    if not 0 < len(steps) <= MOST:
        raise ValueError(f"a path has 1 to {MOST} steps, such as a.b[0].c")
    return tuple(steps)


def _step(found: re.Match[str]) -> str | int:
    if found["name"] is not None:
        return found["name"]
    if found["number"] is not None:
        return int(found["number"])
    name = json.loads(found["quoted"])
    name.encode()  # half of a surrogate pair, escaped, is in no record
    return str(name)
