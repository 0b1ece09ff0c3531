"""Rows written where they were parsed: files in the tables' folders that nobody sees before a commit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.contract.model import Contract
from headrace.files import sync
from headrace.identities.hashing import identity_hashes
from headrace.staging.collector import no_collection
from headrace.staging.row_files import write_rows
from headrace.staging.staged import Refused, Staged, StagedFile
from headrace.tables.columns import INSTANT, PROVENANCE, schema_of
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.typed_columns import MAP, OTHERS, readings_schema
from headrace.tables.warehouse import Warehouse

ROWS_A_FILE, BYTES_A_FILE = 250_000, 256 << 20
"""Rows, or bytes of them in memory, after which a file is written: what staging holds at most, per table."""

ORDER = ["signal_date", "partition", "offset"]
"""How the rows of a file of readings are ordered."""


@dataclass(frozen=True)
class Staging:
    """Where a batch's rows go and what is added to each; the same for all processes that parse the batch.

    `by_contract`: the contract says what makes two records the same one. `may_come_twice`: as the contract's.
    `schema`: the columns of `readings`.
    """

    readings: Path
    quarantine: Path
    batch: int
    landed_at: datetime
    zone: str
    by_contract: bool
    may_come_twice: bool = False
    schema: pa.Schema = field(default_factory=lambda: schema_of(READINGS))

    @property
    def doubled_in(self) -> str | None:
        """The zone, where the same content at a time that comes twice may be another reading."""
        return self.zone if self.may_come_twice else None

    @classmethod
    def of(cls, contract: Contract, warehouse: Warehouse, batch: int, landed_at: datetime) -> Self:
        """The staging of that batch of a stream."""
        return cls(
            readings=warehouse.table(READINGS),
            quarantine=warehouse.table(QUARANTINE),
            batch=batch,
            landed_at=landed_at,
            zone=contract.record.event_time.timezone,
            by_contract=bool(contract.record.identity),
            may_come_twice=contract.may_come_twice,
            schema=readings_schema(contract),
        )


@no_collection()
def stage(parsed: Iterable[pa.RecordBatch], staging: Staging) -> Staged:
    """Write the parser's rows as files of both tables; they are on the disk when this returns.

    A process that is killed on the way leaves files that no commit lists, which vacuum finds; one that fails
    takes them away itself.
    """
    readings = Pile(lambda rows: write_readings(rows, staging))
    quarantine = Pile(lambda rows: write_quarantine(rows, staging))
    refused = Staged()
    try:
        for batch in parsed:
            good = pc.is_null(batch["reason"])
            bad = batch.filter(pc.invert(good))
            readings.add(reading_rows(batch.filter(good), staging))
            quarantine.add(quarantine_rows(bad, staging))
            refused += Staged(refused=first_of_each_reason(bad))
        readings.write()
        quarantine.write()
    except BaseException:
        discard(staging, Staged(tuple(readings.files), tuple(quarantine.files)))
        raise
    staged = replace(refused, readings=tuple(readings.files), quarantine=tuple(quarantine.files))
    sync(*(folder for folder in (staging.readings, staging.quarantine) if folder.exists()))
    return staged


def discard(staging: Staging, staged: Staged) -> None:
    """Remove staged files; never call it once a commit may have listed them."""
    for folder, files in ((staging.readings, staged.readings), (staging.quarantine, staged.quarantine)):
        for file in files:
            (folder / file.path).unlink(missing_ok=True)


def reading_rows(good: pa.RecordBatch, staging: Staging) -> pa.Table:
    """Readings as the parser gives them, with the table's columns."""
    landed_at = pa.repeat(pa.scalar(staging.landed_at, INSTANT), len(good))
    columns = {
        "signal_date": _day(good["signal_ts"], staging.zone),
        "signal_ts": good["signal_ts"],
        "create_date": _day(landed_at, staging.zone),
        "create_ts": landed_at,
        **_signals(good),
        "entity": good["entity"],
        "provenance": _with_batch(good["provenance"], staging.batch),
    }
    return pa.table(columns).cast(staging.schema)


def _signals(good: pa.RecordBatch) -> dict[str, pa.Array]:
    if "columns" not in good.schema.names:
        return {MAP: good["signals"]}
    typed = good["columns"]
    names = [each.name for each in typed.type]
    return {**dict(zip(names, typed.flatten(), strict=True)), OTHERS: good["signals"]}


def quarantine_rows(bad: pa.RecordBatch, staging: Staging) -> pa.Table:
    """Refused records as the parser gives them, with the table's columns."""
    columns = {name: bad[name] for name in ("reason", "message", "key", "value", "headers")}
    columns["provenance"] = _with_batch(bad["provenance"], staging.batch)
    return pa.table(columns).cast(schema_of(QUARANTINE))


def write_readings(rows: pa.Table, staging: Staging) -> StagedFile:
    """One file of readings, with the identities that repeats are found by."""
    ordered = by_day(rows)
    written = write_rows(staging.readings, staging.batch, ordered)
    return replace(written, identities=_identities(ordered, staging.by_contract))


def by_day(rows: pa.Table) -> pa.Table:
    """Readings in the order of a file's: whoever looks for a day passes over the rest."""
    provenance = rows["provenance"].combine_chunks()
    order = pc.sort_indices(
        pa.table([rows["signal_date"], provenance.field("partition"), provenance.field("offset")], ORDER),
        sort_keys=[(name, "ascending") for name in ORDER],
    )
    return rows.take(order)


def write_quarantine(rows: pa.Table, staging: Staging) -> StagedFile:
    """One file of quarantined records."""
    return write_rows(staging.quarantine, staging.batch, rows)


def first_of_each_reason(bad: pa.RecordBatch) -> dict[str, Refused]:
    """How many records have each reason, and the place and message of the first."""
    if not len(bad):
        return {}
    place = bad["provenance"]
    frame = pl.DataFrame(
        {
            "reason": pl.from_arrow(bad["reason"]),
            "message": pl.from_arrow(bad["message"]),
            "partition": pl.from_arrow(place.field("partition")),
            "offset": pl.from_arrow(place.field("offset")),
        }
    )
    firsts = (
        frame.sort("partition", "offset").group_by("reason").agg(pl.len().alias("count"), pl.all().first())
    )
    return {row.pop("reason"): Refused(**row) for row in firsts.to_dicts()}


@dataclass
class Pile:
    """Rows of one table that wait until they are a file's worth."""

    write_file: Callable[[pa.Table], StagedFile]
    files: list[StagedFile] = field(default_factory=list)
    waiting: list[pa.Table] = field(default_factory=list)

    def add(self, rows: pa.Table) -> None:
        """Keep the rows; write a file when there are enough."""
        self.waiting.append(rows)
        enough = sum(each.num_rows for each in self.waiting) >= ROWS_A_FILE
        if enough or sum(each.nbytes for each in self.waiting) >= BYTES_A_FILE:
            self.write()

    def write(self) -> None:
        """Make a file of what waits."""
        rows = pa.concat_tables(self.waiting) if self.waiting else None
        self.waiting = []
        if rows is not None and rows.num_rows:
            self.files.append(self.write_file(rows))


def _day(instants: pa.Array, zone: str) -> pa.Array:
    # By polars, which brings the zones' rules along; Arrow asks the machine, and a slim image has none.
    return pl.Series(instants).dt.convert_time_zone(zone).dt.date().to_arrow()


def _with_batch(provenance: pa.StructArray, batch: int) -> pa.StructArray:
    fields = dict(zip([each.name for each in provenance.type], provenance.flatten(), strict=True))
    fields["batch"] = pa.repeat(pa.scalar(batch, pa.int64()), len(provenance))
    return pa.StructArray.from_arrays(
        [fields[each.name] for each in PROVENANCE], fields=[each.field for each in PROVENANCE]
    )


def _identities(rows: pa.Table, by_contract: bool) -> pa.RecordBatch:
    """What repeats are found by: a record that is known by its own offset cannot have come before.

    Without a declared identity all others are published: they have a publication and a row.
    """
    provenance = rows["provenance"].combine_chunks()
    identity = provenance.field("identity")
    if not by_contract:
        of_a_source = pc.and_(
            pc.is_valid(provenance.field("publication")), pc.is_valid(provenance.field("row"))
        )
        identity = pc.if_else(of_a_source, identity, None)
    return pa.RecordBatch.from_arrays(
        [identity_hashes(identity), rows["signal_date"].combine_chunks()], names=["hash", "day"]
    )
