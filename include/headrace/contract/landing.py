"""How a stream's records become rows."""

from typing import Annotated, Literal

from pydantic import Field

from headrace.contract.field_types import Limit
from headrace.contract.part import Part


class Landing(Part):
    """How records become rows."""

    engine: Literal["spark", "worker", "auto"] = Field(
        "auto",
        description="what lands and analyses: Spark; the Airflow worker itself, without a JVM; or Spark "
        "where a run has two million records or more to land, or twenty million readings to analyse, else "
        "the worker",
    )
    max_records_per_batch: Annotated[int, Field(ge=1, le=100_000_000)] = 250_000
    max_records_per_run: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="an external stream's larger backlog is landed by several runs, each with a slice of so "
        "many offsets at most",
    )
    columns: Literal["map", "typed"] = Field(
        "map",
        description="what readings hold of signals: one map of the source's own texts, or (`typed`) a column "
        "for each, of its type, and in the map `others` the texts of fields that the contract does not know",
    )
    on_conflict: Literal["quarantine"] = "quarantine"
    unknown_fields: Literal["keep", "quarantine"] = "keep"
    tombstones: Literal["quarantine", "skip_counted"] = Field(
        "quarantine",
        description="records without a value: refused, or (`skip_counted`) noted in quarantine as "
        "`tombstone`, outside the share limit",
    )
    quarantine_limit: Limit = Field(
        0.01,
        description="a larger share of a run's new records, or as a number more of them, fails the run",
        json_schema_extra={"default": "1%"},
    )
