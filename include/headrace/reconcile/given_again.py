"""Offsets that a broker has given out again: what it lost of its log was landed before, and stays."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from headrace.offsets import OffsetRange
from headrace.reconcile.number_set import Numbers, Tally
from headrace.tables.batches import Batch

END = 2**63 - 1
"""After the last offset that a partition can have."""

GivenAgain = Mapping[tuple[str, int], Sequence[OffsetRange]]
"""Topic id and partition -> ranges whose offsets stand for other records since, once more for each range."""


def given_again(notes: Sequence[Batch]) -> GivenAgain:
    """By the rows of `batches` that are neither batches nor gaps."""
    found: dict[tuple[str, int], list[OffsetRange]] = {}
    for row in notes:
        if row.kind not in {"batch", "gap"}:
            for each in row.ranges:
                found.setdefault((row.topic_id, each.partition), []).append(each)
    return found


def doubled(tally: Tally, again: Sequence[OffsetRange]) -> Iterator[Numbers]:
    """The offsets that were met more often than they were given out, each once."""
    for times, level in enumerate(tally.levels[1:], 1):
        for numbers in level.within(0, END):
            yield numbers[_given(numbers, again) == times - 1]


def count(tally: Tally, within: OffsetRange, again: Sequence[OffsetRange]) -> int:
    """How many times offsets of the range were met, without those that were other records before."""
    older = sum(
        int(np.count_nonzero(_given(numbers, again) >= times))
        for times, level in enumerate(tally.levels[1:], 1)
        for numbers in level.within(within.start, within.until)
    )
    return tally.count(within.start, within.until) - older


def _given(numbers: Numbers, again: Sequence[OffsetRange]) -> Numbers:
    """How often each was given out again."""
    times = np.zeros(len(numbers), np.int64)
    for each in again:
        times += (numbers >= each.start) & (numbers < each.until)
    return times
