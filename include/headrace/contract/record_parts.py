"""Where a record's fields stand besides the top of its value: deeper in it, in its key, in its headers."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from headrace.contract.field_types import FieldName
from headrace.contract.part import Part
from headrace.contract.value_path import parse_path

OWN_HEADER = "headrace"
"""Begins the names of the headers by which Headrace knows its own records."""


def _path(text: str) -> str:
    parse_path(text)
    return text


def _header(name: str) -> str:
    if name.startswith(OWN_HEADER):
        raise ValueError(f"{name!r} is one of Headrace's own headers; `provenance` has what they say")
    return name


ValuePath = Annotated[
    str, Field(min_length=1, max_length=1000, examples=["payload.after"]), AfterValidator(_path)
]
HeaderName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_header)]
Paths = dict[FieldName, ValuePath]
Headers = dict[FieldName, HeaderName]


class Key(Part):
    """A record's Kafka key, as the field or fields that it is; of a topic that somebody else feeds."""

    format: Literal["text", "json", "int32", "int64"] = Field(
        description="UTF-8 text; JSON; or a big-endian number, as Kafka's own serializers write it"
    )
    field: FieldName | None = Field(None, description="the field that is the whole key")
    paths: Paths = Field({}, description="of JSON: field -> its place in the key, such as `id`")

    @model_validator(mode="after")
    def _has_fields(self) -> Self:
        if self.paths and self.format != "json":
            raise ValueError(f"a key of format {self.format} has no paths; name its field")
        if not self.fields:
            raise ValueError("name the field that the key is, or paths into it")
        if self.field in self.paths:
            raise ValueError(f"field {self.field!r} is both the key and a path into it")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it fills."""
        return (*([self.field] if self.field else []), *self.paths)
