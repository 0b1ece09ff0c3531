"""How far a landing has come, told after each batch: what a person watches while it runs."""

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from headrace.offsets import Position, lag
from headrace.tables.batches import Batch
from headrace.tables.slices import Slice


class Progress(BaseModel):
    """The newest batch, and how many of the slice's offsets are landed and still wait (`lag`)."""

    model_config = ConfigDict(frozen=True)

    batch: int
    batch_records: int
    records_per_second: int
    landed: int
    lag: int
    at: datetime

    def __str__(self) -> str:
        return f"{self.landed:,} of {self.landed + self.lag:,} offsets landed, {self.lag:,} to go"


Tell = Callable[[Progress], None]
"""Takes the progress after each batch."""


def tell_nobody(progress: Progress) -> None:
    """For callers that nobody watches."""


def progress_after(row: Batch, stands: Position, run_slice: Slice) -> Progress:
    """The progress after that batch, with which the slice's topic stands there."""
    seconds = max((row.finished - row.started).total_seconds(), 0.001)
    left = lag(stands, run_slice.until)
    return Progress(
        batch=row.batch,
        batch_records=row.records,
        records_per_second=round(row.records / seconds),
        landed=sum(map(len, run_slice.ranges)) - left,
        lag=left,
        at=row.finished,
    )
