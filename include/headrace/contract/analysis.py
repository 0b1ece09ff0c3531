"""What `analyse` makes of a stream's readings."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from headrace.contract.field_types import Cadence, FieldName
from headrace.contract.part import LARGEST, Part
from headrace.files import read_bounded
from headrace.settings import PROJECT

TABLES = (
    *("readings", "quarantine", "daily_completeness", "hourly_average", "averages"),
    *("batches", "publications", "ledger"),
)
"""The names of the tables that a stream has without asking."""

Aggregate = Annotated[
    str,
    Field(pattern=r"^(mean|min|max|last|sum|count|circular_mean|p[1-9][0-9]?)$", examples=["mean", "p95"]),
]
"""`last`: of the newest reading that has a value (of several at one time the greatest); `count`: of values;
`p95`: the exact 95th percentile, interpolated; `circular_mean`: of directions in degrees."""

ANALYSIS_RULES = 2
"""Grows when `analyse` makes something else of the same contract: then all days are computed anew.

2: completeness counts slots that have a reading.
"""


class Indicator(Part):
    """A word for an hour, or whatever `every` says, by the band in which the average of one signal lies."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
    signal: FieldName
    bands: dict[str, float | None] = Field(
        description="band -> the bound it stays below, ascending; null in the last: no bound"
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        bounds = list(self.bands.values())
        inner = bounds[:-1]
        if not bounds or bounds[-1] is not None:
            raise ValueError("the last band must be null (no bound)")
        if any(bound is None for bound in inner) or inner != sorted(set(inner), key=lambda b: b or 0.0):
            raise ValueError("bounds must ascend, with null in the last band only")
        return self


class SqlTable(Part):
    """A gold table by an SQL file."""

    sql: Path = Field(
        description="a file with one SELECT of DuckDB over `readings`, which gives the column `signal_date`; "
        "it is asked day by day; relative paths start at the checkout"
    )

    @property
    def file(self) -> Path:
        """Absolute path of the file."""
        return self.sql if self.sql.is_absolute() else PROJECT / self.sql


def _table_name(name: str) -> str:
    if name in TABLES:
        raise ValueError(f"{name!r} is a table of every stream; choose another name")
    return name


TableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$"), AfterValidator(_table_name)]


def _one_or_more(value: object) -> object:
    if value is None:
        return ()
    return (value,) if isinstance(value, dict | Indicator) else value


def _each_once(aggregates: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(aggregates)) < len(aggregates):
        raise ValueError("an aggregate stands twice")
    return aggregates


Aggregates = Annotated[tuple[Aggregate, ...], AfterValidator(_each_once)]
Indicators = Annotated[
    tuple[Indicator, ...],
    BeforeValidator(
        _one_or_more,
        json_schema_input_type=Indicator | list[Indicator] | None,
    ),
]


class Analysis(Part):
    """What `analyse` makes of the readings."""

    every: Cadence = Field(
        timedelta(hours=1),
        description="what averages are of: an hour, in the table `hourly_average`; or any other duration "
        "that divides a day, in the table `averages`, counted from the day's beginning by the time that "
        "passes",
    )
    aggregates: dict[FieldName, Aggregates] = Field(
        {},
        description="numeric signal -> what is made of it; of one that is not named the mean, and of a "
        "direction the circular mean too",
    )
    indicator: Indicators = Field((), description="one, or a list of them")
    tables: dict[TableName, SqlTable] = Field({}, description="more gold tables, each by an SQL file")
    signal_names: Path | None = Field(
        None, description="a JSON list of {sig_name, sig_mapping_name}; an absent signal keeps its name"
    )

    @property
    def signal_names_file(self) -> Path | None:
        """Absolute path of the mapping."""
        if self.signal_names is None or self.signal_names.is_absolute():
            return self.signal_names
        return PROJECT / self.signal_names

    _names: str | None = PrivateAttr(None)

    @property
    def signal_names_text(self) -> str | None:
        """What stands in it, or stood there when the contract was loaded; raises as `read_bounded`."""
        file = self.signal_names_file
        return read_bounded(file, LARGEST) if file and self._names is None else self._names

    _sql: dict[str, str] | None = PrivateAttr(None)

    @property
    def sql_texts(self) -> dict[str, str]:
        """What stands in the file of each of `tables`, or stood there; raises as `read_bounded`."""
        if self._sql is not None:
            return self._sql
        return {name: read_bounded(table.file, LARGEST) for name, table in self.tables.items()}

    def with_texts(self, names: str | None, sql: dict[str, str]) -> Self:
        """The same, and those texts are what stands in the file of names and in those of tables."""
        known = self.model_copy()
        known._names, known._sql = names, sql  # noqa: SLF001  # its own class's
        return known
