"""Kafka records to readings: each record becomes one, or is refused with a reason; none is dropped.

One pure function of a batch, by the contract alone: it knows neither where records come from nor where rows
go, and splitting a batch changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.contract.model import Contract
from headrace.contract.record import Record
from headrace.kafka.headers import Authors
from headrace.parse.beside_value import with_fields_beside
from headrace.parse.checks import Texts, checks, first_failure, written_at
from headrace.parse.doubled_time import DoubledTime
from headrace.parse.event_time import EventTime
from headrace.parse.field_table import FieldTable
from headrace.parse.missing import Missing
from headrace.parse.naming import Naming, Place
from headrace.parse.provenance import HEADERS, identity, of_source
from headrace.parse.record_formats import format_of
from headrace.parse.rules import Rules
from headrace.parse.schemas import Schemas, schema_ids
from headrace.parse.typed_columns import TypedColumns
from headrace.parse.unpacking import Values, plain_values

INSTANT = pa.timestamp("us", tz="UTC")

RECORDS = pa.schema(
    {
        "key": pa.binary(),
        "value": pa.binary(),
        "headers": HEADERS,
        "partition": pa.int32(),
        "offset": pa.int64(),
        "timestamp": INSTANT,
    }
)
"""What is read of a batch; its columns may be large ones or views, and others may stand beside them."""

PROVENANCE = pa.struct(
    {
        "topic_id": pa.string(),
        "partition": pa.int32(),
        "offset": pa.int64(),
        "timestamp": INSTANT,
        "publication": pa.string(),
        "row": pa.int64(),
        "identity": pa.string(),
    }
)
PARSED = pa.schema(
    {
        "reason": pa.string(),
        "message": pa.string(),
        "signal_ts": INSTANT,
        "signals": pa.map_(pa.string(), pa.string()),
        "entity": pa.string(),
        "provenance": PROVENANCE,
        "key": pa.binary(),
        "value": pa.binary(),
        "headers": HEADERS,
    }
)
"""A row a record, in their order, and null where it says nothing.

A reading has `signal_ts`, `signals` and, where the contract names one, the `entity`. A refused record has
`reason`, `message` and its own `key`, `value` and `headers`. Both have the `provenance`. Where the contract
has a typed column for each signal, a struct `columns` of them follows, and `signals` are the others.
"""

INSTANT_TEXT = "%Y-%m-%dT%H:%M:%S%.fZ"
"""How an instant stands in an identity: of its fraction 3 digits, 6 or none."""

Arrays = dict[str, pa.Array]


class Parser:
    """A contract, ready to parse batches of a topic's records."""

    def __init__(
        self,
        contract: Contract,
        topic_id: str,
        rewinds: int = 0,
        authors: Authors | None = None,
        by_instant: bool = True,
        *,
        schemas: Schemas | None = None,
    ) -> None:
        """Raise ValueError where the contract's time format cannot be read or cannot be meant, and
        ContractError where a rule cannot be judged.

        `rewinds`: how many times the topic's log was cut off; the same place is another record's then.
        `authors`: whose headers are believed; without them anybody's, as of a sample.
        `by_instant`: whether an identity holds the instant where texts that differ can be the same one.
        `schemas`: those that records name, and who has the others; of a format that has such.
        """
        record = contract.record
        self._contract, self._topic_id = contract, topic_id
        self._rewinds, self._authors, self._by_instant = rewinds, authors, by_instant
        self.schemas = schemas or Schemas()
        self._naming, self._format = Naming(contract), format_of(contract, self.schemas)
        self._texts = Texts(self._naming, record)
        asked = record.event_time
        self._times = EventTime(asked.format, asked.timezone) if asked.field else None
        self._doubled = DoubledTime(asked)
        self._time = self._texts.event_time() if asked.field else written_at()
        entity = self._texts.field(record.entity) if record.entity else pl.lit(None, pl.String)
        log = f"{topic_id}+{rewinds}" if rewinds else topic_id
        itself = self._told_apart(identity(self._declared(by_instant), log), by_instant)
        self._missing = [each for each in _missing(record) if each[1]]
        self._typed = TypedColumns(contract, self._texts) if contract.landing.columns == "typed" else None
        self._rules = Rules(record, self._texts)
        reason, message = first_failure(checks(contract, self._texts))
        self._found = {"reason": reason, "message": message, "entity": entity, "identity": itself}

    def __reduce__(self) -> tuple[Callable[..., "Parser"], tuple[Any, ...]]:
        """Travel to an executor as what it is made of."""
        of = (self._contract, self._topic_id, self._rewinds, self._authors, self._by_instant)
        return partial(Parser, schemas=self.schemas), of

    def _declared(self, by_instant: bool) -> list[pl.Expr]:
        """The parts of a declared identity; the event time's instant where many texts can be one instant."""
        fields, asked = self._contract.record.identity or (), self._contract.record.event_time
        times = asked.field if by_instant and asked.spells_an_instant_in_many_ways else ()
        if not set(times) or not set(times).issubset(fields):
            return [self._texts.field(field) for field in fields]
        text = self._texts.event_time()
        # What is no time keeps its text: it is refused, and still the same record when it comes again.
        instant = pl.coalesce(pl.col("signal_ts").dt.to_string(INSTANT_TEXT), text)
        return [instant, *(self._texts.field(field) for field in fields if field not in times)]

    def _told_apart(self, itself: pl.Expr, by_instant: bool) -> pl.Expr:
        """An identity that holds a time's text tells the two of a doubled hour apart where they are known."""
        fields, asked = self._contract.record.identity or (), self._contract.record.event_time
        instant = by_instant and asked.spells_an_instant_in_many_ways and set(asked.field).issubset(fields)
        if instant or set(asked.field).isdisjoint(fields):
            return itself
        later = pl.format('{},"later"]', itself.str.strip_suffix("]"))
        return pl.when(pl.col("is_later")).then(later).otherwise(itself)

    def parse_all(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Each record with what became of it: a row of `PARSED` for each row of `RECORDS`, in their order.

        Raises:
            SchemasMissing: records name schemas that are not known, in a process that cannot ask.
        """
        for batch in batches:
            start = 0
            for values in plain_values(batch.column("value"), self._contract.record.value_compression):
                yield self._parse(batch.slice(start, len(values)), values)
                start += len(values)

    def parse(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The same of one batch, as one."""
        return pa.concat_batches(list(self.parse_all([batch])))

    def _parse(self, batch: pa.RecordBatch, values: Values) -> pa.RecordBatch:
        """The rows of a batch, given its values without their compression."""
        records = {name: batch.column(name).cast(RECORDS.field(name).type) for name in RECORDS.names}
        fields = self._read(values, records)
        typed = self._typed
        wanted = self._found | self._rules.found | (typed.found if typed else {})
        found = self._frame(fields, records).lazy().with_columns(**wanted).collect()
        failed = (_arrow(found[name]) for name in ("reason", "message"))
        reason, message = (
            pc.coalesce(own, failure) for own, failure in zip(fields.refusals(), failed, strict=True)
        )
        if self._rules:
            broken, which = self._rules.judge(found)
            reason, message = pc.coalesce(reason, broken), pc.if_else(reason.is_valid(), message, which)
        refused = reason.is_valid()
        columns = {
            "reason": reason,
            "message": message,
            "signal_ts": pc.if_else(refused, None, _arrow(found["signal_ts"])),
            "signals": fields.signals(refused, typed.signals if typed else ()),
            "entity": pc.if_else(refused, None, _arrow(found["entity"])),
            "provenance": self._provenance(found, records),
            **{name: pc.if_else(refused, records[name], None) for name in ("key", "value", "headers")},
        }
        schema = PARSED
        if typed:
            columns["columns"] = typed.of(found, fields, refused)
            schema = PARSED.append(pa.field("columns", columns["columns"].type))
        return pa.RecordBatch.from_pydict(columns, schema)

    def _read(self, values: Values, records: Arrays) -> FieldTable:
        """The fields of a batch, without what stands for no value."""
        record = self._contract.record
        if record.registry:
            self.schemas.require(schema_ids(values))
        read = map(self._format, values)
        fields = FieldTable(
            with_fields_beside(record, read, records["key"], records["headers"]), self._naming
        )
        if record.trim:
            fields.trim()
        for place, missing in self._missing:
            fields.forget(missing, place)
        return fields

    def _frame(self, fields: FieldTable, records: Arrays) -> pl.DataFrame:
        """The texts that the contract asks for, the instant, and what is known of a record besides."""
        texts = {column: fields.column(place) for place, column in self._texts.columns.items()}
        frame = pl.DataFrame(
            {
                **texts,
                **of_source(records, self._authors),
                **{name: pl.Series(records[name]) for name in ("partition", "offset", "timestamp")},
            }
        ).with_columns(pl.when(pl.col(each) != "").then(pl.col(each)) for each in texts)
        time = frame.select(self._time).to_series()
        known = frame.with_columns(signal_ts=self._times.instants(time) if self._times else time)
        return self._doubled.settled(time, known)

    def _provenance(self, found: pl.DataFrame, records: Arrays) -> pa.StructArray:
        columns = {"topic_id": pa.repeat(self._topic_id, len(found))}
        columns |= {name: records[name] for name in ("partition", "offset", "timestamp")}
        columns |= {name: _arrow(found[name]) for name in ("publication", "row", "identity")}
        return pa.StructArray.from_arrays(list(columns.values()), fields=list(PROVENANCE))


def _missing(record: Record) -> Iterator[tuple[Place | None, Missing]]:
    """What stands for no value: in all fields, and in those of each signal."""
    yield None, Missing(record.missing, record.number_form(), nan=record.nan == "missing")
    for signal in record.signals:
        nan = signal.nan == "missing" and record.nan != "missing"
        yield Place(signal.name), Missing(signal.missing, record.number_form(signal), nan=nan)


def _arrow(column: pl.Series) -> pa.Array:
    """The column with Arrow's plain strings."""
    array = column.to_arrow()
    return array.cast(pa.string()) if pa.types.is_large_string(array.type) else array
