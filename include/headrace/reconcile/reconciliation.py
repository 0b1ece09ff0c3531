"""Reconcile: count everything again, from the source's rows to the tables', and name what does not add up.

It trusts no stored count: rows come from the spooled source itself, visible records from the broker, landed
and quarantined ones from the tables. What `batches` says is compared with these counts, never used for them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import polars as pl

from headrace.contract.model import Contract
from headrace.errors import NotReconciled, WarehouseError
from headrace.kafka.reader import visible_records
from headrace.kafka.topics import describe_topic, log_start
from headrace.offsets import OffsetRange, reached
from headrace.publish.csv_source import count_rows
from headrace.publish.publications import Publication, read_publications
from headrace.reconcile.ledger import Entry, SliceAccount, SourceAccount, append_entry
from headrace.reconcile.records import landed_records
from headrace.settings import Settings
from headrace.tables.batches import Batch, position_after, read_batches
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.slices import Slice, find_slice
from headrace.tables.warehouse import Warehouse

NAMED = 20
"""How many single rows or records a message names; the rest is counted."""


def reconcile(contract: Contract, settings: Settings, config: dict[str, Any], run_id: str) -> Entry:
    """Account for the run's slice and every publication of the stream; keep the account in the ledger.

    Raises:
        NotReconciled: records are lost, doubled or miscounted; the message names them.
        WarehouseError: the run has no slice.
    """
    warehouse = Warehouse.of(settings, contract.stream)
    run_slice = find_slice(warehouse, run_id)
    if run_slice is None:
        raise WarehouseError(f"run {run_id!r} has no slice: `land` has not run; clear and run `land` first")
    batches = read_batches(warehouse)
    records = landed_records(warehouse)
    entry = Entry(
        run_id=run_id,
        finished=datetime.now(UTC),
        topic=run_slice.topic,
        topic_id=run_slice.topic_id,
        slice=account_for_slice(run_slice, config, records, batches),
        sources=tuple(_sources(contract, settings, warehouse, records, batches)),
        batch_problems=tuple(check_batches(batches, records)),
    )
    append_entry(warehouse, entry)
    if not entry.balanced:
        raise NotReconciled(_message(contract.stream, entry))
    return entry


def account_for_slice(
    run_slice: Slice, config: dict[str, Any], records: pl.LazyFrame, batches: list[Batch]
) -> SliceAccount:
    """Compare what consumers see of the slice with `readings` and `quarantine`, offset by offset."""
    bounds = _frame_of_ranges(run_slice.ranges)
    stored = (
        records.filter(pl.col("topic_id") == run_slice.topic_id)
        .join(bounds.lazy(), on="partition")
        .filter(pl.col("offset").is_between(pl.col("start"), pl.col("until"), closed="left"))
        .select("table", "partition", "offset")
        .collect()
    )
    by_table = dict(stored.group_by("table").len().iter_rows())
    visible = _visible(run_slice, config, batches)
    return SliceAccount(
        ranges=run_slice.ranges,
        visible=None if visible is None else len(visible),
        landed=by_table.get(READINGS, 0),
        quarantined=by_table.get(QUARANTINE, 0),
        problems=() if visible is None else tuple(_compare(run_slice.topic, visible, stored)),
    )


def account_for_source(
    publication: Publication, rows: int, records: pl.LazyFrame, pending: bool, loss: int
) -> SourceAccount:
    """Compare the rows of a source with `readings` and `quarantine`; `loss` records were accepted as lost."""
    stored = (
        records.filter(pl.col("publication") == publication.publication)
        .group_by("row")
        .agg(
            (pl.col("table") == READINGS).sum().alias("landed"),
            (pl.col("table") == QUARANTINE).sum().alias("quarantined"),
        )
        .collect()
    )
    expected = pl.DataFrame({"row": pl.int_range(1, rows + 1, eager=True)})
    absent = expected.join(stored, on="row", how="anti")["row"].sort()
    accepted = min(len(absent), loss)
    doubled = stored.filter(pl.col("landed") + pl.col("quarantined") > 1).sort("row")
    foreign = stored.join(expected, on="row", how="anti").sort("row")["row"]
    name = f"{publication.source} (publication {publication.publication})"
    problems = [
        *_named(f"{name}: row {row} is in no table" for row in absent if not pending and not accepted),
        *_named(
            f"{name}: row {row} stands {landed} times in readings and {quarantined} times in quarantine"
            for row, landed, quarantined in doubled.iter_rows()
        ),
        *_named(f"{name}: row {row} is in the tables, but the source has {rows} rows" for row in foreign),
    ]
    if accepted and accepted < len(absent):
        problems.append(f"{name}: {len(absent)} rows are in no table, but only {loss} were accepted as lost")
    return SourceAccount(
        publication=publication.publication,
        source=publication.source,
        rows=rows,
        landed=int(stored["landed"].sum()),
        quarantined=int(stored["quarantined"].sum()),
        accepted_loss=accepted,
        pending=pending,
        problems=tuple(problems),
    )


def check_batches(batches: list[Batch], records: pl.LazyFrame) -> Iterable[str]:
    """What `batches` says that the tables do not hold, one line per batch."""
    stored = {
        batch: (landed, quarantined)
        for batch, landed, quarantined in records.group_by("batch")
        .agg(
            (pl.col("table") == READINGS).sum(),
            (pl.col("table") == QUARANTINE).sum().alias("quarantined"),
        )
        .collect()
        .iter_rows()
    }
    for row in batches:
        landed, quarantined = stored.pop(row.batch, (0, 0))
        lost = row.records if row.kind == "gap" else 0
        said = (row.landed, row.quarantined, row.records - lost)
        if said != (landed, quarantined, landed + quarantined):
            yield (
                f"batch {row.batch}: `batches` says {row.records} records, {row.landed} landed, "
                f"{row.quarantined} quarantined; the tables hold {landed} landed, {quarantined} quarantined"
            )
    for batch in sorted(stored, key=str):
        yield f"batch {batch}: has rows in the tables, but is not in `batches`"


def _sources(
    contract: Contract, settings: Settings, warehouse: Warehouse, records: pl.LazyFrame, batches: list[Batch]
) -> Iterable[SourceAccount]:
    source = contract.own_source
    if source is None:
        return
    for publication in read_publications(warehouse):
        if publication.state == "superseded" and publication.finished is None:
            continue  # a newer file replaced it half-way: its slice accounts for what was published
        position = position_after(warehouse, batches, publication.topic_id)
        loss = sum(
            row.records for row in batches if row.kind == "gap" and row.topic_id == publication.topic_id
        )
        yield account_for_source(
            publication,
            count_rows(settings.spool_path / publication.sha256, source),
            records,
            pending=publication.state == "publishing" or not reached(position, publication.until),
            loss=loss,
        )


def _visible(run_slice: Slice, config: dict[str, Any], batches: list[Batch]) -> pl.DataFrame | None:
    """(partition, offset) of each record of the slice that consumers see; None if the log lost some."""
    if describe_topic(config, run_slice.topic).topic_id != run_slice.topic_id:
        return None  # the topic was made anew: its offsets are other records
    start = log_start(config, run_slice.topic)
    gaps = gap_ends(batches, run_slice.topic_id)
    ranges = []
    for each in run_slice.ranges:
        begin = max(each.start, gaps.get(each.partition, 0))
        if begin >= each.until:
            continue
        if start.get(each.partition, 0) > begin:
            return None
        ranges.append(OffsetRange(partition=each.partition, start=begin, until=each.until))
    rows = [
        (record.partition(), record.offset())
        for chunk in visible_records(config, run_slice.topic, tuple(ranges))
        for record in chunk
    ]
    return pl.DataFrame(rows, schema=_COORDINATES, orient="row")


def gap_ends(batches: list[Batch], topic_id: str) -> dict[int, int]:
    """Where the newest accepted gap of each partition ends."""
    return {
        each.partition: each.until
        for row in batches
        if row.kind == "gap" and row.topic_id == topic_id
        for each in row.ranges
    }


def _compare(topic: str, visible: pl.DataFrame, stored: pl.DataFrame) -> Iterable[str]:
    at = ["partition", "offset"]
    lost = visible.join(stored, on=at, how="anti").sort(at)
    foreign = stored.join(visible, on=at, how="anti").sort(at)
    doubled = stored.group_by(at).len().filter(pl.col("len") > 1).sort(at)
    for frame, what in (
        (lost, "is in no table"),
        (doubled, "is in the tables more than once"),
        (foreign, "is in the tables, but no consumer sees it"),
    ):
        yield from _named(
            f"topic {topic}, partition {row['partition']}, offset {row['offset']}: {what}"
            for row in frame.iter_rows(named=True)
        )


_COORDINATES = {"partition": pl.Int32, "offset": pl.Int64}


def _frame_of_ranges(ranges: Iterable[OffsetRange]) -> pl.DataFrame:
    rows = [(each.partition, each.start, each.until) for each in ranges]
    return pl.DataFrame(
        rows, schema={"partition": pl.Int32, "start": pl.Int64, "until": pl.Int64}, orient="row"
    )


def _named(problems: Iterable[str]) -> list[str]:
    """The first problems in words and the rest as a number."""
    rest = iter(problems)
    said = list(islice(rest, NAMED))
    more = sum(1 for _ in rest)
    return [*said, f"… and {more} more like it"] if more else said


def _message(stream: str, entry: Entry) -> str:
    return "\n".join(
        [
            f"stream {stream}, run {entry.run_id!r}: not everything is accounted for:",
            *(f"  {problem}" for problem in entry.problems),
            "Counted:",
            *(f"  {line}" for line in entry.lines()),
            "Were the tables changed by hand? Their history (Delta time travel) holds the earlier state.",
        ]
    )
