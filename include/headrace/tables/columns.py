"""The columns of the tables that landing writes: what a reading is, what a quarantined record is."""

from dataclasses import dataclass

import pyarrow as pa

from headrace.tables.names import QUARANTINE, READINGS

INSTANT = pa.timestamp("us", tz="UTC")
HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))
SIGNALS = pa.map_(pa.string(), pa.string())


@dataclass(frozen=True)
class Column:
    """A column, or a field of one: what it is called, what it holds and what that means."""

    name: str
    type: pa.DataType
    comment: str = ""

    @property
    def field(self) -> pa.Field:
        """The column for Arrow; every one may be null, as Spark made those of the first layout."""
        return pa.field(self.name, self.type, metadata={"comment": self.comment} if self.comment else None)


Columns = tuple[Column, ...]

PROVENANCE: Columns = (
    Column("topic_id", pa.string(), "id of the topic, not its name"),
    Column("partition", pa.int32()),
    Column("offset", pa.int64()),
    Column("timestamp", INSTANT, "of the Kafka record"),
    Column("publication", pa.string(), "header: which publishing of a source"),
    Column("row", pa.int64(), "header: row of the source, from 1"),
    Column("identity", pa.string(), "JSON array: what makes two records the same one"),
    Column("batch", pa.int64(), "the batch that landed it"),
)

_PROVENANCE = Column(
    "provenance", pa.struct([each.field for each in PROVENANCE]), "where the record came from"
)

COLUMNS: dict[str, Columns] = {
    READINGS: (
        Column("signal_date", pa.date32(), "day of signal_ts in the contract's zone"),
        Column("signal_ts", INSTANT, "the record's own time"),
        Column("create_date", pa.date32(), "day of create_ts in the contract's zone"),
        Column("create_ts", INSTANT, "when its batch was landed"),
        Column("signals", SIGNALS, "signal -> value, as the source wrote it"),
        Column("entity", pa.string(), "the device, where the contract names a field for it"),
        _PROVENANCE,
    ),
    QUARANTINE: (
        Column("reason", pa.string(), "code of the reason"),
        Column("message", pa.string(), "what is wrong, for a person"),
        Column("key", pa.binary(), "the record's key; null for a duplicate"),
        Column("value", pa.binary(), "the record's value; null for a duplicate"),
        Column("headers", HEADERS, "the record's headers; null for a duplicate"),
        _PROVENANCE,
    ),
}


def schema_of(table: str) -> pa.Schema:
    """The table's columns for Arrow, each with its comment as Delta keeps it: `comment` in the metadata."""
    return pa.schema([column.field for column in COLUMNS[table]])
