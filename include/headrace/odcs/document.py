"""A document of the Open Data Contract Standard: read, held against its published JSON Schema, written.

The schemas are the standard's own: `odcs-3.2.0.schema.json` as open-data-contract-standard 3.2.0 ships it,
`odcs-3.1.0.schema.json` as datacontract-cli 1.2.8 does (both MIT). Earlier documents are held against that of
3.1, which knows them; that of 3.2 refuses properties without a logicalType, which earlier ones may have.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from headrace.contract.part import LARGEST
from headrace.errors import ContractError
from headrace.files import read_bounded

Document = dict[str, Any]

VERSION = "v3.1.0"
"""The version that is written: the newest that the tools of 2026 read."""


def schema_file(version: str) -> Path:
    """The schema of the standard that documents of that version are held against."""
    newest = "3.2.0" if version.startswith("v3.2") else "3.1.0"
    return Path(__file__).with_name(f"odcs-{newest}.schema.json")


NAMED = 10
"""Faults that a message names."""


def read_document(file: Path) -> Document:
    """The document in a file.

    Raises:
        ContractError: it cannot be read, or is none of the standard's versions 3; each fault with its place.
    """
    try:
        document = yaml.safe_load(read_bounded(file, LARGEST))
    except (OSError, ValueError) as failed:
        raise ContractError(f"{file}: cannot be read: {failed}") from failed
    except yaml.YAMLError as broken:
        raise ContractError(f"{file}: is no YAML: {broken}") from broken
    if not isinstance(document, dict) or document.get("kind") != "DataContract":
        raise ContractError(f"{file}: is no document of ODCS: its kind is not DataContract")
    if not str(document.get("apiVersion", "")).startswith("v3."):
        raise ContractError(f"{file}: has apiVersion {document.get('apiVersion')!r}; give one of ODCS 3")
    if faults := list(faults_of(document)):
        more = f"; and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        raise ContractError(f"{file}: does not fit ODCS' schema: {'; '.join(faults[:NAMED])}{more}")
    return document


def faults_of(document: Document) -> Iterator[str]:
    """What of a document does not fit the standard's schema, each with its place."""
    for fault in _validator(schema_file(str(document.get("apiVersion")))).iter_errors(document):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault.absolute_path)
        yield f"{place.removeprefix('.') or 'the document'}: {fault.message[:200]}"


@cache
def _validator(schema: Path) -> Any:
    # it takes half a second to be imported, and has no annotations
    from jsonschema import Draft201909Validator  # type: ignore[import-untyped]  # noqa: PLC0415

    return Draft201909Validator(json.loads(schema.read_text("utf-8")))


def as_text(document: Document) -> str:
    """The document as YAML that is read as the same."""
    text = _dumped(document, escaped=False)
    same = (
        yaml.safe_load(text) == document
    )  # PyYAML takes some ends of lines for blanks unless it escapes them
    return text if same else _dumped(document, escaped=True)


def _dumped(document: Document, escaped: bool) -> str:
    return str(yaml.safe_dump(document, allow_unicode=not escaped, sort_keys=False, width=110))


def custom(of: Document, name: str) -> Any:
    """The value of a custom property; None where there is none of that name."""
    return next(
        (each["value"] for each in of.get("customProperties") or () if each["property"] == name), None
    )
