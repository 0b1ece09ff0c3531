"""A contract as a document of ODCS; what the standard has no words for stands in custom properties."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from headrace.contract.model import Contract
from headrace.contract.record import Signal
from headrace.odcs.document import VERSION, Document

REST = "headraceContract"
"""The custom property that holds what the standard cannot say of a stream, in the contract's own form."""

SIGNAL = "headraceSignal"
"""The same of a signal; every property that is one has it."""

LOGICAL = {
    "double": "number",
    "integer": "integer",
    "boolean": "boolean",
    "string": "string",
    "timestamp": "timestamp",
    "array": "array",
    "struct": "object",
}
"""A signal's type -> the standard's; a decimal is a number."""

OPTIONS = ("minimum", "maximum", "pattern")
"""What a signal and the standard's `logicalTypeOptions` call alike."""


def exported(contract: Contract) -> Document:
    """The document; it fits the schema of version 3.1 and what is imported of it equals the contract."""
    rest = contract.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    record = rest["record"]
    for name in ("stream", "description", "owner"):
        rest.pop(name, None)
    topic = rest["topic"].pop("name")
    del record["signals"]
    record.pop("identity", None)
    limit = rest.get("landing", {}).get("quarantine_limit")
    if isinstance(limit, float):  # a share, which is written as a percentage
        rest["landing"]["quarantine_limit"] = f"{Decimal(repr(limit)) * 100:f}%"
    return {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": contract.stream,
        "name": contract.stream,
        "version": "1.0.0",
        "status": "active",
        **({"description": {"purpose": contract.description}} if contract.description else {}),
        "team": {"name": contract.owner},
        "schema": [
            {
                "name": contract.stream,
                "physicalName": topic,
                "physicalType": "topic",
                "logicalType": "object",
                "properties": [*_properties(contract)],
            }
        ],
        **_frequency(contract, record["event_time"]),
        "customProperties": [{"property": REST, "value": rest}],
    }


def _properties(contract: Contract) -> Iterator[Document]:
    """One a field of the record: those of its time, its device and its identity, then the signals."""
    record = contract.record
    of_signals = {signal.fields[0]: signal for signal in record.signals}
    keys = {field: position for position, field in enumerate(record.identity or (), 1)}
    others = [*record.event_time.field, *([record.entity] if record.entity else ()), *keys]
    apart = [field for field in others if field not in of_signals]
    for field in dict.fromkeys([*apart, *of_signals]):
        signal = of_signals.get(field)
        known = _of_signal(signal) if signal else {"logicalType": "string", "required": True}
        key = {"primaryKey": True, "primaryKeyPosition": keys[field]} if field in keys else {}
        yield {"name": field, **known, **key}


def _of_signal(signal: Signal) -> Document:
    said = signal.model_dump(mode="json", exclude_defaults=True)
    rest = {name: said[name] for name in said if name not in {"name", "type", "required", *OPTIONS}}
    rest["fields"] = said["fields"][1:]
    options = {name: said[name] for name in OPTIONS if name in said}
    return {
        "businessName": signal.name,
        "logicalType": LOGICAL.get(signal.type, "number"),
        "physicalType": signal.type,
        "required": signal.required,
        **({"logicalTypeOptions": options} if options else {}),
        "customProperties": [{"property": SIGNAL, "value": rest}],
    }


def _frequency(contract: Contract, event_time: dict[str, Any]) -> Document:
    """The cadence as an agreement, in seconds; taken out of the rest."""
    every = contract.record.event_time.every
    if every is None:
        return {}
    del event_time["every"]
    return {"slaProperties": [{"property": "frequency", "value": every.total_seconds(), "unit": "s"}]}
