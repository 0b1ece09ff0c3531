"""What all parts of a contract have in common."""

import hashlib
import json

from pydantic import BaseModel, ConfigDict

LARGEST = 262_144
"""Bytes of a contract, or of its list of signal names: PyYAML reads that many in some two seconds."""


class Part(BaseModel):
    """A part of a contract: it never changes, and knows all of its fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=False, serialize_by_alias=True
    )


def sha256_of(value: object) -> str:
    """Hash of what a part holds, as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
