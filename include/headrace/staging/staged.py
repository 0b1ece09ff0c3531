"""What staging reports: narrow facts about files and counts, for the process that commits."""

from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class StagedFile:
    """A file that a commit can list.

    `path`: in the table's folder. `statistics`: as the log has them. `identities`: of a file of readings, in
    the order of its rows: `hash` (uint64; null where the record cannot have come before) and `day` (date32).
    """

    path: str
    size: int
    rows: int
    statistics: str
    identities: pa.RecordBatch | None = None


@dataclass(frozen=True)
class Refused:
    """The records that were refused for one reason: how many, and the first of them."""

    count: int
    partition: int
    offset: int
    message: str

    def __add__(self, other: "Refused") -> "Refused":
        first = min(self, other, key=lambda each: (each.partition, each.offset))
        return Refused(self.count + other.count, first.partition, first.offset, first.message)


@dataclass(frozen=True)
class Staged:
    """What was staged of a batch, by one process or by several together (`+`)."""

    readings: tuple[StagedFile, ...] = ()
    quarantine: tuple[StagedFile, ...] = ()
    refused: dict[str, Refused] = field(default_factory=dict)

    @property
    def landed(self) -> int:
        """Rows for `readings`."""
        return sum(file.rows for file in self.readings)

    @property
    def quarantined(self) -> int:
        """Rows for `quarantine`."""
        return sum(file.rows for file in self.quarantine)

    @property
    def records(self) -> int:
        """All records of the batch."""
        return self.landed + self.quarantined

    @property
    def candidates(self) -> int:
        """Readings that can have come before; without any nobody needs to look."""
        hashes = [file.identities["hash"] for file in self.readings if file.identities]
        return sum(len(each) - each.null_count for each in hashes)

    @property
    def days(self) -> tuple[date, date] | None:
        """First and last day of the readings; None without any."""
        spans = [pc.min_max(file.identities["day"]).as_py() for file in self.readings if file.identities]
        return (min(span["min"] for span in spans), max(span["max"] for span in spans)) if spans else None

    def __add__(self, other: "Staged") -> "Staged":
        refused = dict(self.refused)
        for reason, each in other.refused.items():
            refused[reason] = refused[reason] + each if reason in refused else each
        return Staged(self.readings + other.readings, self.quarantine + other.quarantine, refused)
