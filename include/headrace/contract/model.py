"""A stream's contract: what its records look like, where they come from and how they are landed.

The models are frozen and know nothing of files: `loader` reads them from YAML.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from headrace.contract.field_types import (
    Character,
    ConfigText,
    Encoding,
    FieldName,
    FieldNames,
    Schedule,
    Share,
    StreamId,
)
from headrace.contract.part import Part
from headrace.contract.record import Record
from headrace.files import read_bounded
from headrace.settings import PROJECT

ANALYSIS_RULES = 2
"""Grows when `analyse` makes something else of the same contract: then all days are computed anew.

2: completeness counts slots that have a reading.
"""


LARGEST = 262_144
"""Bytes of a contract, or of its list of signal names: PyYAML reads that many in some two seconds."""


class FileSource(Part):
    """A file whose rows become records."""

    path: Path = Field(
        description="a file; or a folder or pattern (`in/*.csv.gz`), whose files are published as they come; "
        "relative paths start at the checkout; inside HEADRACE_SOURCE_ROOTS"
    )
    settle: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=1))] = Field(
        timedelta(seconds=10),
        description="a folder's file that was written to since is left for the next run",
    )

    @property
    def file(self) -> Path:
        """Absolute path of the file."""
        return self.path if self.path.is_absolute() else PROJECT / self.path


class CsvSource(FileSource):
    """A CSV file; each of its rows becomes one record, whose values are the file's own texts.

    A file whose name ends in `.gz`, `.bz2` or `.zst` is decompressed. A row has at most 1,048,576 characters,
    a field 131,072, the header 10,000 columns. A column without a name is called `column_<number>`, and one
    whose name stands twice, though the contract does not need it, `<name>_2`.
    """

    kind: Literal["csv"]
    encoding: Encoding = Field("utf-8-sig", description="any that Python knows and that makes texts")
    delimiter: Character = ","
    quote: Character | None = Field('"', description="what a field may stand in; null: quotes mean nothing")
    escape: Character | None = Field(None, description="takes from the character behind it its meaning")
    preamble: Annotated[int, Field(ge=0, le=10_000)] = Field(0, description="lines before the header")
    names: FieldNames | None = Field(None, description="the columns' names, where the file has no header")
    units: Annotated[int, Field(ge=0, le=1_000)] = Field(
        0, description="rows behind the header that are none, such as a row of units"
    )
    comment: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="a line that begins so, where a row could begin, is none"
    )
    blank_lines: Literal["refuse", "skip"] = "refuse"
    trailing_delimiter: bool = Field(False, description="a delimiter stands behind each row's last field")
    trim: bool = Field(False, description="white space around names and values is no part of them")

    @model_validator(mode="after")
    def _unmistakable(self) -> Self:
        marks = [mark for mark in (self.delimiter, self.quote, self.escape) if mark]
        twice = next((mark for mark in marks if marks.count(mark) > 1), None)
        if twice:
            raise ValueError(f"{twice!r} is more than one of delimiter, quote and escape")
        if self.trim and self.delimiter == " ":
            raise ValueError("the delimiter is a blank, so blanks cannot be trimmed; leave one of them out")
        if self.names and len({*self.names}) < len(self.names):
            raise ValueError("names: a name stands twice")
        if self.comment and ("\n" in self.comment or "\r" in self.comment):
            raise ValueError("comment: must be the beginning of a line")
        return self


class JsonlSource(FileSource):
    """A file of JSON objects, one a line (JSON Lines, NDJSON); each line becomes one record, as it stands.

    A file whose name ends in `.gz`, `.bz2` or `.zst` is decompressed. A line has at most 1,048,576
    characters.
    """

    kind: Literal["jsonl"]
    encoding: Encoding = Field("utf-8-sig", description="any that Python knows and that makes texts")
    blank_lines: Literal["refuse", "skip"] = "refuse"


class ParquetSource(FileSource):
    """A Parquet file; each of its rows becomes one record, each value the text that stands for it alone.

    Numbers are their shortest text, instants ISO 8601 (`2024-05-01T10:00:00.000000`, with a `Z` if the column
    has a zone). Columns of lists, structs and bytes have no such texts and are refused unless `columns`
    leaves them out. A row has at most 1,048,576 characters.
    """

    kind: Literal["parquet"]
    columns: FieldNames | None = Field(None, description="those that are read; all if none are named")


OwnSource = CsvSource | JsonlSource | ParquetSource
"""A source that `publish` publishes."""


class SqlSource(Part):
    """The rows of a query; each becomes one record, and a run publishes those behind the last one's cursor.

    The cursor is a column whose values differ and grow in the order in which rows become visible: a row that
    is committed behind one with a greater value is not seen. Values are the texts that a Parquet file's would
    be. Another query, connection or cursor begins anew.
    """

    kind: Literal["sql"]
    connection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$")] = Field(
        description="the Airflow connection of the database"
    )
    query: Annotated[str, Field(min_length=1)] = Field(description="a SELECT without ORDER BY")
    cursor: FieldName

    @property
    def rows(self) -> JsonlSource:
        """What is new of it, as it is kept in the spool."""
        digest = _sha256([self.connection, self.query, self.cursor])[:12]
        return JsonlSource(kind="jsonl", path=Path(f"sql:{self.connection}:{digest}"))


class ExternalSource(Part):
    """Somebody else feeds the topic; the stream has no `publish`."""

    kind: Literal["external"]


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
    on_conflict: Literal["quarantine"] = "quarantine"
    unknown_fields: Literal["keep", "quarantine"] = "keep"
    tombstones: Literal["quarantine", "skip_counted"] = Field(
        "quarantine",
        description="records without a value: refused, or (`skip_counted`) noted in quarantine as "
        "`tombstone`, outside the share limit",
    )
    quarantine_limit: Share = Field(
        0.01,
        description="a larger share of a run's records fails the run",
        json_schema_extra={"default": "1%"},
    )


class Indicator(Part):
    """A word for an hour, by the band in which the average of one signal lies."""

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


class Analysis(Part):
    """What `analyse` makes of the readings."""

    indicator: Indicator | None = None
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

    def with_names(self, text: str | None) -> Self:
        """The same, and that text is what stands in the file of names."""
        known = self.model_copy()
        known._names = text  # noqa: SLF001  # its own class's
        return known


class Curve(Part):
    """A picture of one signal against another, over a reference."""

    x: FieldName
    y: FieldName
    reference: FieldName | None = None


class Rose(Part):
    """A picture of how often and how strongly it comes from each direction."""

    direction: FieldName
    speed: FieldName


class Report(Part):
    """Pictures beside those that every stream has; each names signals."""

    curve: Curve | None = None
    rose: Rose | None = None


class Contract(Part):
    """All that a user writes for a stream."""

    stream: StreamId
    description: str = ""
    owner: Annotated[str, Field(min_length=1)] = "headrace"
    schedule: Schedule | None = Field(None, description="cron, preset or null; manual runs always work")
    source: Annotated[OwnSource | SqlSource | ExternalSource, Field(discriminator="kind")]
    topic: Topic
    record: Record
    landing: Landing = Landing()
    analysis: Analysis = Analysis()
    report: Report = Report()

    @field_validator("stream")
    @classmethod
    def _has_a_dag_of_its_own(cls, stream: str) -> str:
        if stream == "audit":
            raise ValueError("'audit' is the DAG that counts all streams again; choose another name")
        return stream

    @model_validator(mode="after")
    def _is_published_as_json(self) -> Self:
        if self.own_source and self.record.format != "json":
            raise ValueError(
                f"record.format: a source's rows are published as JSON, not {self.record.format}"
            )
        return self

    @model_validator(mode="after")
    def _has_times_of_its_own(self) -> Self:
        if self.own_source and not self.record.event_time.field:
            raise ValueError(
                "record.event_time: a source's rows get Kafka's timestamp when they are published, each time "
                "another; name the field that holds their time"
            )
        return self

    @model_validator(mode="after")
    def _signals_exist(self) -> Self:
        numeric = [signal.name for signal in self.record.signals if signal.is_numeric]
        for place, name in self._named_signals():
            if name not in numeric:
                raise ValueError(f"{place} {name!r} is none of the numeric signals {numeric}")
        return self

    @model_validator(mode="after")
    def _lands_what_it_publishes(self) -> Self:
        if self.landing.max_records_per_run is not None and self.own_source is not None:
            raise ValueError(
                "landing.max_records_per_run is for external streams: a run that publishes lands all of it"
            )
        return self

    def _named_signals(self) -> Iterator[tuple[str, str]]:
        """Where other parts of the contract name a signal, and which."""
        if self.analysis.indicator:
            yield "analysis.indicator.signal", self.analysis.indicator.signal
        for picture, part in (("curve", self.report.curve), ("rose", self.report.rose)):
            for key, name in (part.model_dump(exclude_none=True) if part else {}).items():
                yield f"report.{picture}.{key}", name

    @property
    def own_source(self) -> OwnSource | None:
        """The source that `publish` publishes; None where somebody else feeds the topic."""
        if isinstance(self.source, SqlSource):
            return self.source.rows
        return None if isinstance(self.source, ExternalSource) else self.source

    @property
    def may_come_twice(self) -> bool:
        """Whether one identity can be of two readings, in the hour that a change to winter time doubles."""
        asked, identity = self.record.event_time, self.record.identity or ()
        told_apart = asked.doubled == "by_order" and self.own_source is not None
        return not set(asked.field).isdisjoint(identity) and not told_apart

    @property
    def sha256(self) -> str:
        """Hash of the whole contract; kept with every batch."""
        return _sha256(self.model_dump(mode="json"))

    @property
    def analysis_sha256(self) -> str:
        """Hash of all that decides the gold tables: analysis, the record's shape, the mapping's text."""
        return _sha256(
            {
                "rules": ANALYSIS_RULES,
                "analysis": self.analysis.model_dump(mode="json"),
                "record": self.record.model_dump(mode="json"),
                "mapping": self.analysis.signal_names_text,
            }
        )


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
