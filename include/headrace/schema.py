"""What describes contracts: the JSON Schema, with which editors complete them, and the reference page."""

import json
from collections.abc import Iterator
from typing import Any

from headrace.contract import Contract
from headrace.settings import PROJECT

SCHEMA_FILE = PROJECT / "include" / "streams" / "contract.schema.json"
"""The committed copy; contracts name it in their first line."""

REFERENCE_FILE = PROJECT / "docs" / "reference" / "contract.md"
"""The committed reference."""

HEAD = """\
# The fields of a contract

Written by `headrace schema --write` from the models in `include/headrace/contract.py`; do not edit.
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
    return HEAD + "".join(f"\n## {name}\n\n{_part(part)}" for name, part in parts.items())


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
        yield f"mapping to {_kind(field['additionalProperties'])}"
    else:
        kind = field.get("type", "")
        yield field.get("format") or (" or ".join(kind) if isinstance(kind, list) else kind)


def write_schema() -> None:
    """Bring the committed schema and reference up to date."""
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    REFERENCE_FILE.write_text(reference_text(), encoding="utf-8")
