"""Arithmetic of Kafka offsets: positions, ranges and slices.

A position says for each partition which offset comes next. A range is half-open, [start, until). A partition
that a position does not name stands at 0: it was added after the position was taken.
"""

from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

Position = Mapping[int, int]
"""Partition -> the next offset."""


class OffsetRange(BaseModel):
    """The offsets [start, until) of one partition."""

    model_config = ConfigDict(frozen=True)

    partition: int
    start: int
    until: int

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if not (self.partition >= 0 and 0 <= self.start <= self.until):
            raise ValueError(f"no range: partition {self.partition}, [{self.start}, {self.until})")
        return self

    def __len__(self) -> int:
        return self.until - self.start

    def __str__(self) -> str:
        return f"{self.partition}:[{self.start}, {self.until})"


Ranges = tuple[OffsetRange, ...]
"""Ranges of a topic, one per partition, ascending; empty ones are left out."""


def between(start: Position, until: Position) -> Ranges:
    """The ranges from one position to a later one; partitions that `start` is past are left out."""
    return tuple(
        OffsetRange(partition=partition, start=start.get(partition, 0), until=end)
        for partition, end in sorted(until.items())
        if end > start.get(partition, 0)
    )


def advance(position: Position, ranges: Iterable[OffsetRange]) -> dict[int, int]:
    """The position after `ranges`.

    Raises:
        ValueError: a range does not begin where the position stands.
    """
    after = dict(position)
    for each in ranges:
        if after.get(each.partition, 0) != each.start:
            raise ValueError(f"{each} does not begin at {after.get(each.partition, 0)}")
        after[each.partition] = each.until
    return after


def rewind(position: Position, ranges: Iterable[OffsetRange]) -> dict[int, int]:
    """The position before `ranges`: where a log was cut off, its offsets come again.

    Raises:
        ValueError: a range does not end where the position stands.
    """
    before = dict(position)
    for each in ranges:
        if before.get(each.partition, 0) != each.until:
            raise ValueError(f"{each} does not end at {before.get(each.partition, 0)}")
        before[each.partition] = each.start
    return before


def subtract(ranges: Iterable[OffsetRange], taken: Iterable[OffsetRange]) -> Ranges:
    """What is left of `ranges` without those offsets."""
    left = tuple(ranges)
    for each in taken:
        left = tuple(part for one in left for part in _around(one, each))
    return left


def _around(one: OffsetRange, taken: OffsetRange) -> Ranges:
    if one.partition != taken.partition:
        return (one,)
    before = (one.start, min(one.until, taken.start))
    behind = (max(one.start, taken.until), one.until)
    return tuple(
        OffsetRange(partition=one.partition, start=start, until=until)
        for start, until in (before, behind)
        if start < until
    )


def within(ranges: Iterable[OffsetRange], limit: Position) -> Ranges:
    """What of `ranges` lies before `limit`."""
    return tuple(
        each.model_copy(update={"until": min(each.until, limit.get(each.partition, 0))})
        for each in ranges
        if each.start < limit.get(each.partition, 0)
    )


def clip(position: Position, limit: Position) -> dict[int, int]:
    """The position, held back to `limit` in each of its partitions; others are left out."""
    return {partition: min(position.get(partition, 0), end) for partition, end in limit.items()}


def reached(position: Position, target: Position) -> bool:
    """Whether `position` has come to `target` in every partition of it."""
    return all(position.get(partition, 0) >= end for partition, end in target.items())


def lag(position: Position, end: Position) -> int:
    """How many offsets lie between `position` and `end`, over all partitions of `end`."""
    return sum(len(each) for each in between(position, end))


def stop_after(start: Position, end: Position, most: int) -> dict[int, int]:
    """The position at most so many offsets after `start`, on the way to `end`.

    Every partition comes forward by the same share of what it has, so that none waits for another.
    """
    behind = lag(start, end)
    if behind <= most:
        return dict(end)
    stop = {}
    for partition, until in sorted(end.items()):
        begins = start.get(partition, 0)
        left = max(0, until - begins)
        # What is left of all partitions shares what is left of `most`: it is used up to the last offset.
        share = left * most // behind if behind else 0
        stop[partition] = begins + share if left else until
        behind, most = behind - left, most - share
    return stop


def position_json(position: Position) -> dict[str, int]:
    """A position as JSON has it, whose keys are texts."""
    return {str(partition): offset for partition, offset in position.items()}


def position_text(position: Position) -> str:
    """A position for a person: `0:12651 1:12500`."""
    return " ".join(f"{partition}:{offset}" for partition, offset in sorted(position.items())) or "nothing"


def text(ranges: Iterable[OffsetRange]) -> str:
    """Ranges for a person: `0:[0, 12651) 1:[0, 12500)`."""
    return " ".join(str(each) for each in ranges) or "nothing"
