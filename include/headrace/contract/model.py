"""A stream's contract: what its records look like, where they come from and how they are landed.

The models are frozen and know nothing of files: `loader` reads them from YAML.
"""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from headrace.contract.alerts import Alerts
from headrace.contract.analysis import ANALYSIS_RULES, Analysis
from headrace.contract.field_types import Schedule, StreamId
from headrace.contract.landing import Landing
from headrace.contract.part import Part, sha256_of
from headrace.contract.pictures import Report
from headrace.contract.publish import Publish, refused_by_spark
from headrace.contract.record import Record
from headrace.contract.source import CsvSource, ExternalSource, OwnSource, SqlSource
from headrace.contract.topic import Topic

OTHER_DAGS = {"audit": "counts all streams again", "maintain_tables": "keeps tables small"}
"""DAGs that are none of a stream's: their ids are no streams'."""

COLUMNS_OF_ALL = (
    "signal_date",
    "signal_ts",
    "create_date",
    "create_ts",
    "signals",
    "others",
    "entity",
    "provenance",
)
"""Names that no signal's column has: those that `readings` has whatever the contract says."""


class Contract(Part):
    """All that a user writes for a stream."""

    stream: StreamId
    description: str = ""
    owner: Annotated[str, Field(min_length=1)] = "headrace"
    schedule: Schedule | None = Field(None, description="cron, preset or null; manual runs always work")
    source: Annotated[OwnSource | SqlSource | ExternalSource, Field(discriminator="kind")]
    topic: Topic
    record: Record
    publish: Publish = Publish()
    landing: Landing = Landing()
    analysis: Analysis = Analysis()
    report: Report = Report()
    alerts: Alerts | None = Field(None, description="who is told of failed, late and incomplete runs")

    @field_validator("stream")
    @classmethod
    def _has_a_dag_of_its_own(cls, stream: str) -> str:
        if stream in OTHER_DAGS:
            raise ValueError(f"{stream!r} is the DAG that {OTHER_DAGS[stream]}; choose another name")
        return stream

    @model_validator(mode="after")
    def _is_published_as_json(self) -> Self:
        if self.own_source and self.record.format != "json":
            raise ValueError(
                f"record.format: a source's rows are published as JSON, not {self.record.format}"
            )
        if self.own_source and self.record.is_written_by_others:
            raise ValueError(
                "record: a source's rows are published plain, with a key out of their fields and Headrace's "
                "own header; leave out value_compression, headers and the key's format"
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

    @model_validator(mode="after")
    def _can_be_published_by_spark(self) -> Self:
        if self.publish.engine == "worker":
            return self
        if not isinstance(self.source, CsvSource):
            raise ValueError(  # noqa: TRY004  # pydantic's validators tell a fault so
                f"publish.engine: Spark publishes CSV files, and the source is {self.source.kind}; set worker"
            )
        if refused := ", ".join(refused_by_spark(self.source)):
            raise ValueError(f"publish.engine: Spark's CSV reader cannot do {refused}; set worker, which can")
        return self

    @model_validator(mode="after")
    def _columns_of_their_own(self) -> Self:
        taken = dict.fromkeys(COLUMNS_OF_ALL, "a column of all readings")
        for signal in self.record.signals if self.landing.columns == "typed" else ():
            column = signal.typed_column.casefold()  # no reader tells columns apart by case alone
            if column in taken:
                raise ValueError(
                    f"record.signals {signal.name!r}: its column {signal.typed_column!r} is {taken[column]}; "
                    "give it another one, with `column`"
                )
            taken[column] = f"the column of {signal.name!r}"
        return self

    def _named_signals(self) -> Iterator[tuple[str, str]]:
        """Where other parts of the contract name a signal, and which."""
        for indicator in self.analysis.indicator:
            yield "analysis.indicator.signal", indicator.signal
        for name in self.analysis.aggregates:
            yield "analysis.aggregates", name
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
        return sha256_of(self.model_dump(mode="json"))

    @property
    def analysis_sha256(self) -> str:
        """Hash of all that decides the gold tables: analysis, the record's shape, the mapping's text."""
        return sha256_of(
            {
                "rules": ANALYSIS_RULES,
                "analysis": self.analysis.model_dump(mode="json"),
                "record": self.record.model_dump(mode="json"),
                "mapping": self.analysis.signal_names_text,
                "sql": self.analysis.sql_texts,
            }
        )
