"""The contract's JSON Schema, with which editors complete and check a contract while it is written."""

import json
from pathlib import Path

from headrace.contract import Contract
from headrace.settings import PROJECT

SCHEMA_FILE = PROJECT / "include" / "streams" / "contract.schema.json"
"""The committed copy; contracts name it in their first line."""


def schema_text() -> str:
    """The schema as it follows from the models."""
    schema = Contract.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schema(file: Path = SCHEMA_FILE) -> Path:
    """Bring the committed copy up to date."""
    file.write_text(schema_text(), encoding="utf-8")
    return file
