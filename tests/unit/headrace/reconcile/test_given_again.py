"""An offset may stand in the tables as often as the broker has given it out, and no more."""

import numpy as np

from headrace.offsets import OffsetRange
from headrace.reconcile.given_again import count, doubled, given_again
from headrace.reconcile.number_set import Tally
from testbed.batch_rows import a_batch

AGAIN = (OffsetRange(partition=0, start=10, until=16), OffsetRange(partition=0, start=14, until=20))
"""Offsets 10 to 13 and 16 to 19 were given out twice, 14 and 15 three times."""


def met(*offsets: int) -> Tally:
    tally = Tally()
    tally.add(np.array(offsets, np.int64))
    return tally


def listed(tally: Tally) -> list[int]:
    return [offset for part in doubled(tally, AGAIN) for offset in part.tolist()]


def test_what_was_given_out_again_may_stand_again() -> None:
    assert listed(met(*range(20), *range(10, 20), 14, 15)) == []


def test_what_stands_once_more_than_that_is_named_once() -> None:
    assert listed(met(9, 9, 10, 10, 10, 14, 14, 14, 14, 14)) == [9, 10, 14]


def test_a_range_counts_what_it_is_now() -> None:
    tally = met(*range(20), *range(10, 18), 14, 15)
    assert count(tally, OffsetRange(partition=0, start=8, until=18), AGAIN) == 10
    assert count(met(9, 9, 10, 10), OffsetRange(partition=0, start=8, until=18), AGAIN) == 3


def test_batches_and_gaps_give_nothing_out_again() -> None:
    rewind = a_batch(2, (0, 10, 16), kind="rewind")
    assert given_again([a_batch(0, (0, 0, 16)), a_batch(1, (0, 16, 20), kind="gap"), rewind]) == {
        ("t", 0): [OffsetRange(partition=0, start=10, until=16)]
    }
