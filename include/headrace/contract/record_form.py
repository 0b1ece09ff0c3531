"""Where the fields of a record stand: in its value, deeper in it, in its key, in its headers."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from headrace.contract.field_types import FieldName
from headrace.contract.part import Part
from headrace.contract.value_path import parse_path

TEXT = "text"
"""The field of a record that is a line of text."""

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


class Key(Part):
    """A record's Kafka key, as the field or fields that it is; of a topic that somebody else feeds."""

    format: Literal["text", "json", "int32", "int64"] = Field(
        description="UTF-8 text; JSON; or a big-endian number, as Kafka's own serializers write it"
    )
    field: FieldName | None = Field(None, description="the field that is the whole key")
    paths: dict[FieldName, ValuePath] = Field(
        {}, description="of JSON: field -> its path in the key, such as `id`"
    )

    @model_validator(mode="after")
    def _has_fields(self) -> Self:
        if self.paths and self.format != "json":
            raise ValueError(f"a key of format {self.format} has no paths; name its field")
        if not self.fields:
            raise ValueError("name the field that the key is, or paths into it")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it fills."""
        return (*([self.field] if self.field else []), *self.paths)


NAMES, FORM = "names", "form"
"""The two kinds of a record's key."""


def _kind_of_key(key: object) -> str:
    return FORM if isinstance(key, dict | Key) else NAMES


class Registry(Part):
    """The schema registry that records name their schemas in, by Confluent's wire format and interface."""

    connection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$")] = Field(
        "schema_registry_default", description="the Airflow connection of the registry"
    )
    schema_id: FieldName | None = Field(
        "schema_id", description="the field that holds the id of a record's schema; null: none does"
    )


class RecordForm(Part):
    """How the fields of a record are found."""

    format: Literal["json", "text", "csv", "avro"] = Field(
        "json",
        description="`text`: a record is a line of text, whose only field is called `text`; `csv`: a line of "
        "CSV, without a header; `avro`: by a schema of the `registry`",
    )
    registry: Registry | None = Field(None, description="of format avro, which cannot be read without it")
    columns: tuple[FieldName, ...] = Field((), description="of format csv: the names of a line's fields")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = Field(",", description="of format csv")
    value_compression: Literal["gzip", "zstd"] | None = Field(
        None, description="how each value is compressed by whoever writes it; not what Kafka does by itself"
    )
    unwrap: ValuePath | None = Field(
        None,
        description="of JSON and Avro: the path of the object whose members are the fields, as "
        "`payload.after` in a change event of Debezium's; null there is a record without a value "
        "(`landing.tombstones`)",
    )
    paths: dict[FieldName, ValuePath] = Field(
        {},
        description="of JSON and Avro: field -> its [path](#paths) in the whole value; what it leads through "
        "stays a field besides",
    )
    key: Annotated[
        Annotated[tuple[FieldName, ...], Tag(NAMES)] | Annotated[Key, Tag(FORM)], Discriminator(_kind_of_key)
    ] = Field(
        (),
        description="of a source's rows: the fields whose texts are the Kafka key, which decides the "
        "partition and nothing else; of an external topic: how the key is read as fields",
    )
    headers: dict[FieldName, HeaderName] = Field(
        {}, description="field -> the header that it is, as UTF-8 text; of several of a name the last"
    )

    @model_validator(mode="after")
    def _of_its_format(self) -> Self:
        if bool(self.columns) != (self.format == "csv"):
            raise ValueError("columns are those of format csv, which cannot be read without them")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("a name stands twice in columns")
        if self.delimiter in '"\r\n':
            raise ValueError("delimiter is a quote or the end of a line")
        if (self.format == "avro") != (self.registry is not None):
            raise ValueError(
                "format avro, and no other, has its schemas in a registry; add or leave out "
                "registry: {connection: schema_registry_default}"
            )
        if self.format not in {"json", "avro"} and (self.unwrap or self.paths):
            raise ValueError(f"a record of format {self.format} has no levels; leave out unwrap and paths")
        twice = next((name for name in self.beside if self.beside.count(name) > 1), None)
        if twice is not None:
            raise ValueError(
                f"field {twice!r} is more than one of paths, key, headers and registry.schema_id"
            )
        return self

    @property
    def published_key(self) -> tuple[str, ...]:
        """The fields of a source's rows that make the Kafka key."""
        return () if isinstance(self.key, Key) else self.key

    @property
    def beside(self) -> tuple[str, ...]:
        """The fields that do not stand at the top of the value."""
        own = (self.registry.schema_id,) if self.registry and self.registry.schema_id else ()
        return (*self.paths, *self.headers, *self.key_fields, *own)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that the key fills."""
        return self.key.fields if isinstance(self.key, Key) else ()

    @property
    def is_written_by_others(self) -> bool:
        """Whether its form is one that `publish` does not write."""
        return bool(self.value_compression or self.headers or isinstance(self.key, Key))

    @property
    def passed_through(self) -> frozenset[str]:
        """The fields at the top of the value that paths lead through."""
        if self.unwrap:
            return frozenset()
        return frozenset(str(parse_path(path)[0]) for path in self.paths.values())

    @property
    def filled(self) -> tuple[str, ...] | None:
        """Every field that a record can have; None where that is up to whoever writes it."""
        own = {"text": (TEXT,), "csv": self.columns}.get(self.format)
        return None if own is None else (*own, *self.beside)
