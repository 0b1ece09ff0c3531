"""What the tables hold, counted from their files: offsets, rows of sources, records of each batch.

Sets of numbers say it, so that a file of the next run is added to what was counted before, and what stands
twice is seen also when one of the two was counted long ago.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from headrace.reconcile.number_set import Numbers, Tally
from headrace.reconcile.records import ORIGIN
from headrace.tables.batches import Batch
from headrace.tables.names import QUARANTINE

COLUMNS = [f"provenance.{name}" for name in ORIGIN]

ROWS_AT_ONCE = 100_000
"""Rows that are gathered before they are sorted into the sets; 500,000 took 100 MB more and no less time."""

FOREIGN = 1_000_000
"""Rows that a source does not have and that are told apart; of more it is only known that there are."""

NO_NUMBER = -1
"""In the place of a row's number that a record of a publication lacks."""

END = 2**63 - 1
"""After the last number that there can be."""

EMPTY = pl.DataFrame(schema=dict.fromkeys(("batch", "landed", "quarantined"), pl.Int64))


@dataclass
class Marks:
    """Numbers of one partition or one publication: all that the tables hold, and those in quarantine.

    `foreign`: how many records beyond those have none of its numbers.
    """

    all: Tally = field(default_factory=Tally)
    quarantined: Tally = field(default_factory=Tally)
    foreign: int = 0

    @property
    def landed(self) -> int:
        """How many times numbers were met in `readings`."""
        return self.all.total - self.quarantined.total

    def add(self, table: str, numbers: Numbers) -> None:
        """Meet the numbers in that table."""
        self.all.add(numbers)
        if table == QUARANTINE:
            self.quarantined.add(numbers)

    def times(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """How often each of the ascending numbers was met in `readings`, and in `quarantine`."""
        quarantined = self.quarantined.times(numbers)
        return self.all.times(numbers) - quarantined, quarantined

    def landed_again(self, start: int, until: int) -> Iterator[Numbers]:
        """The numbers within [start, until) that were met more than once in `readings`."""
        for numbers in self.all.again.within(start, until):
            landed, _ = self.times(numbers)
            yield numbers[landed > 1]

    @property
    def copies(self) -> int:
        """How many records of `quarantine` are of a number that another record is of."""
        landed = sum(int((self.times(numbers)[0] - 1).sum()) for numbers in self.landed_again(0, END))
        return self.all.total - self.foreign - len(self.all.met) - landed


@dataclass
class Account:
    """Everything that reconcile has to know of `readings` and `quarantine`.

    `sources`: the numbers of the rows that each publication can have. `places`: offsets by topic id and
    partition; those that the broker has lost and given out again count as a log of their own. `foreign`: rows
    that their publication does not have. `batches`: records of each batch, by table. `unreadable`: files that
    the log lists and that cannot be read, in words.
    """

    sources: dict[str, range]
    rewinds: tuple[Batch, ...] = ()
    places: dict[tuple[str, int], Marks] = field(default_factory=dict)
    rows: dict[str, Marks] = field(default_factory=dict)
    foreign: dict[str, Numbers] = field(default_factory=dict)
    batches: pl.DataFrame = field(default_factory=EMPTY.clone)
    records: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether its sets have every row: none was foreign or could not be read."""
        return not (self.foreign or self.unreadable)

    def same_as(self, other: "Account") -> bool:
        """Whether both were counted from the same rows, as far as an account tells."""
        mine, others = ((each.records, each.places, each.rows) for each in (self, other))
        return self.is_whole and other.is_whole and mine == others and self.batches.equals(other.batches)

    def add(self, table: str, origins: pl.DataFrame) -> None:
        """Add rows of that table: the columns of `ORIGIN`."""
        self.records += len(origins)
        known = self._by_log(origins.drop_nulls(["topic_id", "partition", "offset"]))
        for (topic_id, partition), own in known.group_by("topic_id", "partition"):
            marks = self.places.setdefault((str(topic_id), int(str(partition))), Marks())
            marks.add(table, own["offset"].to_numpy())
        published = origins.filter(pl.col("publication").is_in(list(self.sources)))
        for (publication,), own in published.group_by("publication"):
            self._add_rows(table, str(publication), own["row"].fill_null(NO_NUMBER).to_numpy())
        counted = origins.group_by("batch").len("records").with_columns(pl.col("records").cast(pl.Int64))
        other, same = ("landed", "quarantined") if table == QUARANTINE else ("quarantined", "landed")
        counts = counted.select("batch", pl.col("records").alias(same), pl.lit(0, pl.Int64).alias(other))
        together = pl.concat([self.batches, counts.select(self.batches.columns)])
        self.batches = together.group_by("batch").sum().sort("batch")

    def _by_log(self, origins: pl.DataFrame) -> pl.DataFrame:
        """With the rows whose offsets were given out again under a topic id of their own."""
        for rewind in self.rewinds:
            for each in rewind.ranges:
                lost = (
                    (pl.col("topic_id") == rewind.topic_id)
                    & (pl.col("batch") < rewind.batch)
                    & (pl.col("partition") == each.partition)
                    & (pl.col("offset") >= each.start)
                )
                own = pl.lit(f"{rewind.topic_id} before batch {rewind.batch}")
                origins = origins.with_columns(
                    pl.when(lost).then(own).otherwise("topic_id").alias("topic_id")
                )
        return origins

    def _add_rows(self, table: str, publication: str, numbers: Numbers) -> None:
        marks = self.rows.setdefault(publication, Marks())
        can = self.sources[publication]
        own = (numbers >= can.start) & (numbers < can.stop)
        marks.add(table, numbers[own])
        foreign = numbers[~own]
        if len(foreign):
            before = self.foreign.get(publication, np.empty(0, np.int64))
            self.foreign[publication] = np.unique(np.concatenate([before, foreign]))[:FOREIGN]
            marks.foreign += len(foreign)
            for tally in (marks.all, *([marks.quarantined] if table == QUARANTINE else [])):
                tally.total += len(foreign)

    def add_files(self, table: str, files: Iterable[Path]) -> None:
        """Add all rows of these files of the table; a file that cannot be read is noted."""
        waiting: list[pl.DataFrame] = []
        for file in files:
            for rows in self._read(table, file):
                waiting.append(rows)
                if sum(map(len, waiting)) >= ROWS_AT_ONCE:
                    self.add(table, pl.concat(waiting))
                    waiting = []
        if waiting:
            self.add(table, pl.concat(waiting))

    def _read(self, table: str, file: Path) -> Iterator[pl.DataFrame]:
        try:
            yield from map(_origins, pq.ParquetFile(file).iter_batches(columns=COLUMNS))
        except (OSError, pa.ArrowInvalid) as failed:
            what = "is gone" if isinstance(failed, FileNotFoundError) else f"cannot be read: {failed}"
            self.unreadable.append(f"{table}: {file.name} is in the table's log, but {what}")


def _origins(batch: pa.RecordBatch) -> pl.DataFrame:
    provenance = batch.column("provenance")
    held = {each.name for each in provenance.type}
    return pl.DataFrame(
        {
            name: pl.Series(provenance.field(name)) if name in held else pl.Series([None] * len(batch))
            for name in ORIGIN
        },
        schema_overrides=_KINDS,
    ).cast(_KINDS)  # type: ignore[arg-type]  # polars' annotation is of an invariant dictionary


_KINDS = {
    name: pl.String if name in {"topic_id", "publication"} else pl.Int64
    for name in ORIGIN
}  # fmt: skip
