"""What describes contracts and reasons: the JSON Schema, with which editors complete contracts, and pages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headrace.contract.model import Contract
from headrace.contract.time_pattern import FIELDS
from headrace.parse.reasons import Reason
from headrace.settings import PROJECT

SCHEMA_FILE = PROJECT / "include" / "streams" / "contract.schema.json"
"""The committed copy; contracts name it in their first line."""

REFERENCE_FILE = PROJECT / "docs" / "reference" / "contract.md"
"""The committed reference."""

QUARANTINE_FILE = REFERENCE_FILE.with_name("quarantine.md")
"""The committed list of reasons."""

QUARANTINE_HEAD = """\
# Why a record is in quarantine

Written by `headrace schema --write` from `include/headrace/parse/reasons.py`; do not edit.

Each record of a topic becomes one row of `readings` or one of `quarantine`, where its `reason` is one of
these codes. They are checked in this order, the first that applies is the reason; `message` says which field,
and shows the first 80 characters of what stands there. Key, value and headers are kept as bytes (but not of
a duplicate), and `provenance` says where the record came from.

Whatever is no fault is kept as it was written: control characters, HTML, dots and quotes in names, fields
that the contract does not know (unless it refuses them), `1e400` where no number is asked for.

| reason | meaning | such as |
|---|---|---|
"""

QUARANTINE_FOOT = """
A run whose share of refused records is above the contract's `landing.quarantine_limit` fails after all of
it is landed, with the most frequent reasons ([HR406](../runbook.md#hr406)). Duplicates are not counted as
refused.

What cannot become a record at all, such as a line of a source file with too few fields, is refused before
it is published ([HR201](../runbook.md#hr201)): the message names the line.
"""

HEAD = """\
# The fields of a contract

Written by `headrace schema --write` from the models in `include/headrace/contract/`; do not edit.
"""

PATHS = """
## Paths

Names of members with dots between, and numbers of elements, from 0, in brackets: `a.b[0].c`. A name with a
dot, a bracket or a quote in it is JSON text in brackets: `a["b.c"]`. Nothing is found where a name is no
member, an element is not there, or something else than an object or list is on the way; null where null is on
the way. A member on the way that stands twice refuses its record (`repeated_field`).
"""

PATTERNS = """
## Time formats

- `iso`, ISO 8601: a date, or date and time with a `T` or a blank between. Seconds, a fraction of up to nine
  digits, and `Z` or an offset may be there. 24:00 is the next day's midnight.
- `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`: how many of these units it is since 1970-01-01T00:00Z, as a
  number or as text, whole or with a fraction. Of several, in this order, numbers are told apart by their
  digits: seconds have up to 12, milliseconds 15, microseconds 18.
- A pattern of letters, below.

Of several formats each text is read by the first that fits it. Instants have microseconds; what a text says
beyond is cut off. Where the identity holds all of the event time's fields, and texts that differ can be one
instant (all formats but a pattern without offset and zone; several formats), the identity holds the instant.
Only tables that were made before there was this choice go on with the texts.

A pattern says what a time looks like, strictly: `dd` takes `01` and not `1`. Text stands in quotes
(`'T'`), what may be missing in brackets (`[.SSS]`), and `''` is a quote. `HH` reads 00 to 23 and `kk` 01 to
24, which is the next day's midnight; a source that has both needs two formats. These letters are read:

| letters | what they stand for |
|---|---|
"""

PATTERNS_FOOT = """
`VV` is a zone's full name (`Europe/Istanbul`); an offset or a zone in the text goes before `timezone`. Not
read are weekdays, eras and short names of zones (`E`, `G`, `z`).
"""


def schema_text() -> str:
    """The schema as it follows from the models."""
    schema = Contract.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def reference_text() -> str:
    """The fields, part by part, as a page."""
    schema = Contract.model_json_schema()
    parts = {"Contract": schema, **schema["$defs"]}
    return (
        HEAD + "".join(f"\n## {name}\n\n{_part(part)}" for name, part in parts.items()) + PATHS + _patterns()
    )


def _patterns() -> str:
    letters: dict[str, list[str]] = {}
    for letter, field in FIELDS.items():
        letters.setdefault(field, []).append(f"`{letter}`")
    rows = [f"| {', '.join(of)} | {field} |\n" for field, of in letters.items()]
    return f"{PATTERNS}{''.join(rows)}{PATTERNS_FOOT}"


def quarantine_text() -> str:
    """The reasons in the order in which they are checked, as a page."""
    rows = [f"| `{reason.value}` | {reason.text} | {reason.such_as} |\n" for reason in Reason]
    return f"{QUARANTINE_HEAD}{''.join(rows)}{QUARANTINE_FOOT}"


def _part(part: dict[str, Any]) -> str:
    required = part.get("required", [])
    rows = []
    for name, field in part["properties"].items():
        cells = (f"`{name}`", _kind(field), _default(field, name in required), field.get("description", ""))
        rows.append(f"| {' | '.join(cells)} |")
    head = ["| field | type | default | |", "|---|---|---|---|"]
    return f"{part.get('description', '')}\n\n" + "\n".join([*head, *rows]) + "\n"


def _default(field: dict[str, Any], required: bool) -> str:
    if required:
        return "**required**"
    default = field.get("default")
    return "as below" if isinstance(default, dict) and default else f"`{json.dumps(default)}`"


def _kind(field: dict[str, Any]) -> str:
    return " or ".join(dict.fromkeys(_kinds(field)))


def _kinds(field: dict[str, Any]) -> Iterator[str]:
    options = field.get("anyOf") or field.get("oneOf")
    if options:
        for option in options:
            yield from _kinds(option)
    elif "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        yield f"[{name}](#{name.lower()})"
    elif "enum" in field or "const" in field:
        yield " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    elif field.get("type") == "array":
        yield f"list of {_kind(field['items'])}" if "items" in field else "list"
    elif field.get("type") == "object":
        named = field.get("patternProperties", {})  # where the names have a pattern
        (of,) = named.values() if named else [field["additionalProperties"]]
        yield f"mapping to {_kind(of)}"
    else:
        kind = field.get("type", "")
        yield field.get("format") or (" or ".join(kind) if isinstance(kind, list) else kind)


def write_schema() -> list[Path]:
    """Bring the committed schema and pages up to date."""
    texts = {SCHEMA_FILE: schema_text(), REFERENCE_FILE: reference_text(), QUARANTINE_FILE: quarantine_text()}
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")
    return list(texts)
