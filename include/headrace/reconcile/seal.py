"""The seal: what was counted of a stream's tables, up to which versions, kept for the next run.

One file beside the tables, written whole: its first line is the hash of all that follows, a header as JSON
and then the sets' chunks. It is derived from the tables: whoever removes it loses nothing but the time to
count everything again.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from headrace.files import write_whole
from headrace.reconcile.account import NO_BATCHES, Account, Marks
from headrace.reconcile.number_set import Chunk, NumberSet, Tally
from headrace.reconcile.snapshot import TableState
from headrace.reconcile.table_log import Unsealed
from headrace.tables.warehouse import Warehouse

NO_PARTITION = -1
"""In a set's key, where its numbers are rows of a publication and not offsets of a partition."""


class SealedSource(BaseModel):
    """A publication: the rows it can have, `first` to `rows`.

    `proven`: as counted from its copy in the spool, whose bytes have that hash. `gone`: the copy is not
    there, and they are as `publish` had counted them. `skipped_lines`: lines of it that are no rows, as the
    contract says.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str
    rows: int
    proven: bool
    gone: bool = False
    skipped_lines: int = 0
    first: int = 1

    @property
    def span(self) -> range:
        """The numbers of its rows."""
        return range(self.first, self.rows + 1)


class SealedSet(BaseModel):
    """A set of a tally: of which, and its chunks one after the other, (number, how many numbers, bytes) each.

    `name`: of the topic's id, or the publication; `partition`: -1 for rows. `beyond`: in a tally's first set,
    how often its numbers were met beyond all of its sets.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    partition: int
    quarantined: bool
    chunks: tuple[tuple[int, int, int], ...]
    beyond: int = 0


class Header(BaseModel):
    """What stands in front of the sets."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    stream: str
    newest: int
    tables: dict[str, TableState]
    sources: dict[str, SealedSource]
    records: int
    batches: int
    sets: tuple[SealedSet, ...]


@dataclass(frozen=True)
class Seal:
    """An account that was in balance, of which versions it is, and of which sources.

    `newest`: the newest batch that was closed.
    """

    newest: int
    tables: dict[str, TableState]
    sources: dict[str, SealedSource]
    account: Account


def seal_file(warehouse: Warehouse) -> Path:
    """Where the stream's seal is, or will be."""
    return warehouse.folder / "_seal"


def write_seal(warehouse: Warehouse, seal: Seal) -> None:
    """Keep the seal, in the place of the one before; a reader sees one or the other."""
    account = seal.account
    sets = list(_sets(account))
    header = Header(
        stream=warehouse.stream,
        newest=seal.newest,
        tables=seal.tables,
        sources=seal.sources,
        records=account.records,
        batches=len(account.batches),
        sets=tuple(starmap(_described, sets)),
    )
    counts = account.batches.astype("<i8").tobytes()
    chunks = (kept.chunks[place].packed for _, kept, _ in sets for place in sorted(kept.chunks))
    rest = b"".join([header.model_dump_json().encode(), b"\n", counts, *chunks])
    write_whole(seal_file(warehouse), hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)


def read_seal(warehouse: Warehouse) -> Seal:
    """The seal as it was kept.

    Raises:
        Unsealed: there is none, or it is damaged, or of another stream or version of Headrace.
    """
    try:
        digest, _, rest = seal_file(warehouse).read_bytes().partition(b"\n")
    except FileNotFoundError as absent:
        raise Unsealed("there is no seal") from absent
    except OSError as failed:
        raise Unsealed(f"the seal cannot be read: {failed.strerror}") from failed
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        raise Unsealed("the seal is damaged")
    text, _, body = rest.partition(b"\n")
    try:
        header = Header.model_validate_json(text)
    except ValueError as other:
        raise Unsealed("the seal is of another version of Headrace") from other
    if header.stream != warehouse.stream:
        raise Unsealed(f"the seal is of stream {header.stream}")
    return Seal(header.newest, header.tables, header.sources, _account(header, body))


Key = tuple[str, int, bool]
"""A topic's id and partition, or a publication and `NO_PARTITION`; whether the numbers are quarantined."""


def _sets(account: Account) -> Iterator[tuple[Key, NumberSet, int]]:
    """Every level of every tally, those of one tally in their order; the first with what none of them has."""
    of = {**account.places, **{(name, NO_PARTITION): marks for name, marks in account.rows.items()}}
    for (name, partition), marks in of.items():
        for tally, quarantined in ((marks.all, False), (marks.quarantined, True)):
            beyond = tally.total - sum(map(len, tally.levels))
            for at, level in enumerate(tally.levels):
                yield (name, partition, quarantined), level, 0 if at else beyond


def _described(key: Key, kept: NumberSet, beyond: int) -> SealedSet:
    name, partition, quarantined = key
    chunks = tuple((place, chunk.count, len(chunk.packed)) for place, chunk in sorted(kept.chunks.items()))
    return SealedSet(name=name, partition=partition, quarantined=quarantined, chunks=chunks, beyond=beyond)


def _account(header: Header, body: bytes) -> Account:
    account = Account({name: source.span for name, source in header.sources.items()}, records=header.records)
    columns = NO_BATCHES.shape[1]
    at = header.batches * columns * 8
    account.batches = np.frombuffer(body[:at], "<i8").reshape(header.batches, columns)
    for each in header.sets:
        kept = NumberSet()
        for place, count, length in each.chunks:
            kept.chunks[place] = Chunk(count, body[at : at + length])
            at += length
        tally = _tally(account, each)
        tally.levels.append(kept)
        tally.total += len(kept) + each.beyond
    return account


def _tally(account: Account, of: SealedSet) -> Tally:
    if of.partition == NO_PARTITION:
        marks = account.rows.setdefault(of.name, Marks())
    else:
        marks = account.places.setdefault((of.name, of.partition), Marks())
    return marks.quarantined if of.quarantined else marks.all
