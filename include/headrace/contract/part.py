"""What all parts of a contract have in common."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of a contract: it never changes, and knows all of its fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=False, serialize_by_alias=True
    )
