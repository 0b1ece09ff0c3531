"""Kafka records to readings: each record becomes one, or is refused with a reason; none is dropped.

One pure function of a batch, by the contract alone: it knows neither where records come from nor where rows
go, and splitting a batch changes nothing.
"""

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.contract.model import Contract
from headrace.kafka.headers import Authors
from headrace.parse.checks import Texts, checks, first_failure
from headrace.parse.event_time import EventTime
from headrace.parse.field_table import FieldTable
from headrace.parse.naming import Naming
from headrace.parse.provenance import HEADERS, identity, of_source

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
`reason`, `message` and its own `key`, `value` and `headers`. Both have the `provenance`.
"""

Arrays = dict[str, pa.Array]


class Parser:
    """A contract, ready to parse batches of a topic's records."""

    def __init__(
        self, contract: Contract, topic_id: str, rewinds: int = 0, authors: Authors | None = None
    ) -> None:
        """Raise ValueError where the contract's time pattern cannot be read or cannot be meant.

        `rewinds`: how many times the topic's log was cut off; the same place is another record's then.
        `authors`: whose headers are believed; without them anybody's, as of a sample.
        """
        record = contract.record
        self._contract, self._topic_id, self._rewinds = contract, topic_id, rewinds
        self._authors = authors
        self._naming = Naming(contract)
        self._texts = Texts(self._naming)
        self._times = EventTime(record.event_time.format, record.event_time.timezone)
        self._time = self._texts.field(record.event_time.field)
        entity = self._texts.field(record.entity) if record.entity else pl.lit(None, pl.String)
        log = f"{topic_id}+{rewinds}" if rewinds else topic_id
        itself = identity([self._texts.field(field) for field in record.identity or ()], log)
        reason, message = first_failure(checks(contract, self._texts))
        self._found = {"reason": reason, "message": message, "entity": entity, "identity": itself}

    def __reduce__(self) -> tuple[type["Parser"], tuple[Contract, str, int, Authors | None]]:
        """Travel to an executor as what it is made of."""
        return Parser, (self._contract, self._topic_id, self._rewinds, self._authors)

    def parse(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Each record with what became of it: a row of `PARSED` for each row of `RECORDS`."""
        records = {name: batch.column(name).cast(RECORDS.field(name).type) for name in RECORDS.names}
        fields = FieldTable(records["value"].to_pylist(), self._naming)
        found = self._frame(fields, records).lazy().with_columns(**self._found).collect()
        failed = (_arrow(found[name]) for name in ("reason", "message"))
        reason, message = (
            pc.coalesce(own, failure) for own, failure in zip(fields.refusals(), failed, strict=True)
        )
        refused = reason.is_valid()
        columns = {
            "reason": reason,
            "message": message,
            "signal_ts": pc.if_else(refused, None, _arrow(found["signal_ts"])),
            "signals": fields.signals(refused),
            "entity": pc.if_else(refused, None, _arrow(found["entity"])),
            "provenance": self._provenance(found, records),
            **{name: pc.if_else(refused, records[name], None) for name in ("key", "value", "headers")},
        }
        return pa.RecordBatch.from_pydict(columns, PARSED)

    def _frame(self, fields: FieldTable, records: Arrays) -> pl.DataFrame:
        """The texts that the contract asks for, the instant, and what is known of a record besides."""
        texts = {column: fields.column(place) for place, column in self._texts.columns.items()}
        frame = pl.DataFrame(texts).select(pl.when(pl.all() != "").then(pl.all()))
        return frame.with_columns(
            **of_source(records, self._authors),
            signal_ts=self._times.instants(frame.select(self._time).to_series()),
            partition=pl.Series(records["partition"]),
            offset=pl.Series(records["offset"]),
            timestamp=pl.Series(records["timestamp"]),
        )

    def _provenance(self, found: pl.DataFrame, records: Arrays) -> pa.StructArray:
        columns = {"topic_id": pa.repeat(self._topic_id, len(found))}
        columns |= {name: records[name] for name in ("partition", "offset", "timestamp")}
        columns |= {name: _arrow(found[name]) for name in ("publication", "row", "identity")}
        return pa.StructArray.from_arrays(list(columns.values()), fields=list(PROVENANCE))


def _arrow(column: pl.Series) -> pa.Array:
    """The column with Arrow's plain strings."""
    array = column.to_arrow()
    return array.cast(pa.string()) if pa.types.is_large_string(array.type) else array
