"""What the tables hold, counted from their files: offsets, rows of sources, records of each batch.

Sets of numbers say it, so that a file of the next run is added to what was counted before, and what stands
twice is seen also when one of the two was counted long ago.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headrace.reconcile.number_set import Numbers, Tally
from headrace.tables.batches import Batch
from headrace.tables.names import QUARANTINE

FOREIGN = 1_000_000
"""Rows that a source does not have and that are told apart; of more it is only known that there are."""

NO_NUMBER = -1
"""In the place of a row's number that a record of a publication lacks, or of a batch's."""

END = 2**63 - 1
"""After the last number that there can be."""

NO_BATCHES = np.empty((0, 3), np.int64)
"""Of each batch its number, its rows in `readings`, its rows in `quarantine`: of none."""


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
    batches: Numbers = field(default_factory=NO_BATCHES.copy)
    records: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether its sets have every row: none was foreign or could not be read."""
        return not (self.foreign or self.unreadable)

    def same_as(self, other: "Account") -> bool:
        """Whether both were counted from the same rows, as far as an account tells."""
        mine, others = ((each.records, each.places, each.rows) for each in (self, other))
        return (
            self.is_whole
            and other.is_whole
            and mine == others
            and np.array_equal(self.batches, other.batches)
        )

    def add_offsets(self, table: str, place: tuple[str, int], offsets: Numbers) -> None:
        """Add rows of that table that came from there."""
        self.places.setdefault(place, Marks()).add(table, offsets)

    def add_batches(self, table: str, batches: Numbers, records: Numbers) -> None:
        """Add so many records of each of the batches."""
        self.records += int(records.sum())
        counts = np.zeros((len(batches), 3), np.int64)
        counts[:, 0], counts[:, 2 if table == QUARANTINE else 1] = batches, records
        together = np.concatenate([self.batches, counts])
        numbers, at = np.unique(together[:, 0], return_inverse=True)
        self.batches = np.zeros((len(numbers), 3), np.int64)
        self.batches[:, 0] = numbers
        np.add.at(self.batches[:, 1:], at, together[:, 1:])

    def add_rows(self, table: str, publication: str, numbers: Numbers) -> None:
        """Add rows of that table by their numbers in the source."""
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

    def add_files(self, table: str, files: Sequence[Path]) -> None:
        """Add all rows of these files of the table; a file that cannot be read is noted."""
        if files:
            from headrace.reconcile.table_files import count  # it imports polars, and most runs have no file

            count(self, table, files)
