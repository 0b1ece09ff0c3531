"""The Arrow schema of a table whose rows are a pydantic model: derived, so that the two cannot differ."""

import builtins
import types
import typing
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel

if TYPE_CHECKING:
    import pyarrow as pa

PARTITION = "partition"
"""The one 32-bit number of the tables, as in Kafka's protocol; all others have 64 bits."""


def arrow_schema(model: type[BaseModel]) -> "pa.Schema":
    """One column per field, computed ones last; instants in microseconds UTC, a position as an Arrow map."""
    import pyarrow as pa

    return pa.schema(list(_fields(model)))


def arrow_table(model: type[BaseModel], rows: Sequence[BaseModel]) -> "pa.Table":
    """The rows as a table of that schema."""
    import pyarrow as pa

    schema = arrow_schema(model)
    maps = [field.name for field in schema if pa.types.is_map(field.type)]
    plain = [row.model_dump() for row in rows]
    return pa.Table.from_pylist(
        [row | {name: list(row[name].items()) for name in maps} for row in plain], schema=schema
    )


def _fields(model: type[BaseModel]) -> "Iterator[tuple[str, pa.DataType]]":
    import pyarrow as pa

    hints = get_type_hints(model, include_extras=True)
    for name in model.model_fields:
        yield name, pa.int32() if name == PARTITION else _type(hints[name])
    for name, computed in model.model_computed_fields.items():
        yield name, _type(computed.return_type)


def _type(annotation: Any) -> "pa.DataType":
    import pyarrow as pa

    simple = {
        bool: pa.bool_(),
        int: pa.int64(),
        str: pa.string(),
        datetime: pa.timestamp("us", tz="UTC"),
        dict[int, int]: pa.map_(pa.int32(), pa.int64()),
    }
    if annotation in simple:
        return simple[annotation]
    arguments = get_args(annotation)
    match get_origin(annotation):
        case typing.Literal:
            made = pa.string()
        case typing.Annotated:
            made = _type(arguments[0])
        case builtins.tuple:
            made = pa.list_(_type(arguments[0]))
        case types.UnionType:
            (known,) = (each for each in arguments if each is not types.NoneType)
            made = _type(known)
        case _:
            made = pa.struct(list(_fields(annotation)))
    return made
