"""The topic that a stream's records pass through."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from headrace.contract.field_types import ConfigText
from headrace.contract.part import Part


class Topic(Part):
    """The topic as it must be on the broker."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 1
    replication: Annotated[int, Field(ge=1, le=100)] = 1
    config: dict[str, ConfigText] = Field({})
    keys_may_move: bool = Field(
        False, description="partitions may be added, though records of a key then go to another one"
    )
    longest_downtime: timedelta | None = Field(
        None,
        gt=timedelta(0),
        description="how long runs may fail in a row; the topic's retention must cover it, for an external "
        "stream together with the schedule",
    )

    @model_validator(mode="after")
    def _no_dots_only(self) -> Self:
        if self.name in {".", ".."}:
            raise ValueError("a topic cannot be called . or ..")
        return self
