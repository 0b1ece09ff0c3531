"""A batch that holds repeats: its files written again without them, and the repeats to quarantine."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import RecordsExpired
from headrace.identities.index import Identities
from headrace.parse.reasons import Reason
from headrace.staging.landed_readings import readings_of
from headrace.staging.repeats import judge, judge_refused, suspects
from headrace.staging.row_files import read_staged, write_rows
from headrace.staging.staged import Staged, StagedFile
from headrace.staging.staging import ROWS_A_FILE, Staging, first_of_each_reason, write_quarantine
from headrace.tables.columns import schema_of
from headrace.tables.names import QUARANTINE

Originals = Callable[[pa.Table], Iterable[pa.RecordBatch]]
"""Reads records again: places (`partition`, `offset`) -> those records in any order, each with its place,
`key`, `value` and `headers`; asked only for those that are kept with their bytes."""

BYTES = ("key", "value", "headers")
ORIGINAL = pa.schema(
    [
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        *((each.name, each.type) for each in schema_of(QUARANTINE) if each.name in BYTES),
    ]
)


def without_repeats(staged: Staged, staging: Staging, landed: Identities, originals: Originals) -> Staged:
    """The staged readings that are no repeats, and the repeats as quarantined records.

    A batch without repeats, as nearly every one is, costs a look at its hashes and keeps its files.

    Raises:
        RecordsExpired: a record whose bytes are asked for is no longer there.
    """
    found = suspects(staged.readings, landed)
    if not len(found.positions):
        return staged
    rows = _rows_at(staging, staged.readings, found.positions)
    landed_already = readings_of(staging.readings, _identities(rows), found.days, staging.schema)
    verdicts = judge(rows, landed_already, staging.doubled_in)
    if verdicts.is_empty():
        return staged
    refused = _refuse(rows, verdicts, staging, originals)
    repeated = found.positions[verdicts["at"].to_numpy()]
    kept = tuple(_without(staging, staged.readings, repeated))
    _remove(staging, staged.readings, but=kept)
    return replace(staged, readings=kept) + refused


def all_refused(staged: Staged, staging: Staging, landed: Identities, originals: Originals) -> Staged:
    """The same of a batch that a dead try has committed: whatever that did not land is quarantined.

    `staged`: of the batch's records that are not landed; `landed`: through the batch's own commit.

    Raises:
        RecordsExpired: a record whose bytes are asked for is no longer there.
    """
    if not staged.readings:
        return staged
    rows = _rows_at(staging, staged.readings, np.arange(staged.landed))
    days = suspects(staged.readings, landed).days
    landed_already = readings_of(staging.readings, _identities(rows), days, staging.schema)
    verdicts = judge_refused(rows, landed_already, staging.doubled_in)
    refused = _refuse(rows, verdicts, staging, originals)
    _remove(staging, staged.readings, but=())
    return replace(staged, readings=()) + refused


def _identities(rows: pa.Table) -> pa.Array:
    return rows["provenance"].combine_chunks().field("identity")


def _by_file(
    files: Sequence[StagedFile], positions: NDArray[np.int64]
) -> Iterator[tuple[StagedFile, NDArray[np.int64]]]:
    """Positions that count through all files, as positions in each file."""
    start = 0
    for file in files:
        inside = (positions >= start) & (positions < start + file.rows)
        yield file, positions[inside] - start
        start += file.rows


def _rows_at(staging: Staging, files: Sequence[StagedFile], positions: NDArray[np.int64]) -> pa.Table:
    """The staged readings at these (ascending) positions, from one file at a time."""
    parts = [
        read_staged(staging.readings, staging.schema, file).take(pa.array(inside))
        for file, inside in _by_file(files, positions)
        if len(inside)
    ]
    return pa.concat_tables(parts)


def _without(
    staging: Staging, files: Sequence[StagedFile], repeated: NDArray[np.int64]
) -> Iterator[StagedFile]:
    """The files, those that hold repeats written again without them."""
    for file, inside in _by_file(files, repeated):
        stays = np.ones(file.rows, np.bool_)
        stays[inside] = False
        if stays.all():
            yield file
        elif stays.any():
            assert file.identities is not None, file.path  # noqa: S101  # they are what found the repeats
            written = write_rows(
                staging.readings,
                staging.batch,
                read_staged(staging.readings, staging.schema, file).filter(pa.array(stays)),
            )
            yield replace(written, identities=file.identities.filter(pa.array(stays)))


def _remove(staging: Staging, files: Sequence[StagedFile], but: Sequence[StagedFile]) -> None:
    for path in {file.path for file in files} - {file.path for file in but}:
        (staging.readings / path).unlink(missing_ok=True)


def _refuse(rows: pa.Table, verdicts: pl.DataFrame, staging: Staging, originals: Originals) -> Staged:
    """The rows at the verdicts' places as files of quarantine."""
    provenance = rows["provenance"].take(verdicts["at"].to_arrow()).combine_chunks()
    columns = {
        "reason": verdicts["reason"].to_arrow(),
        "message": verdicts["message"].to_arrow(),
        **_bytes_of(provenance, verdicts["reason"] != Reason.DUPLICATE.value, originals),
        "provenance": provenance,
    }
    refused = pa.table(columns).cast(schema_of(QUARANTINE))
    slices = [refused.slice(start, ROWS_A_FILE) for start in range(0, refused.num_rows, ROWS_A_FILE)]
    return Staged(
        quarantine=tuple(write_quarantine(each, staging) for each in slices),
        refused=first_of_each_reason(refused.combine_chunks().to_batches()[0]),
    )


def _bytes_of(provenance: pa.StructArray, wanted: pl.Series, originals: Originals) -> dict[str, pa.Array]:
    """Key, value and headers of the wanted records, in the order of `provenance`; null for the others."""
    places = pl.DataFrame({name: pl.Series(provenance.field(name)) for name in ("partition", "offset")})
    asked = places.filter(wanted)
    read = [] if asked.is_empty() else list(originals(asked.to_arrow()))
    none = pa.RecordBatch.from_pylist([], schema=ORIGINAL)
    records = pa.Table.from_batches([none, *(each.select(ORIGINAL.names).cast(ORIGINAL) for each in read)])
    there = pl.DataFrame({name: pl.Series(records[name]) for name in ("partition", "offset")}).with_row_index(
        "at"
    )
    at = places.with_columns(wanted=wanted).join(
        there, ["partition", "offset"], "left", maintain_order="left"
    )
    lost = at.filter(pl.col("wanted") & pl.col("at").is_null())
    if len(lost):
        raise RecordsExpired(
            f"{len(lost)} records that go to quarantine could not be read again, the first at partition "
            f"{lost['partition'][0]}, offset {lost['offset'][0]}: retention has removed them since. Run the "
            "task again."
        )
    found = pl.select(pl.when(wanted).then(at["at"])).to_series().to_arrow()
    return {name: records[name].take(found) for name in BYTES}
