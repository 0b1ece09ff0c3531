"""Rows that stand twice, held against a plain count of each."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headrace.reconcile.account import Marks
from headrace.tables.names import QUARANTINE, READINGS

ROWS = st.lists(st.integers(0, 20) | st.integers(262_140, 262_150), max_size=40)


@given(st.lists(st.tuples(st.booleans(), ROWS), max_size=4))
def test_of_repeated_rows_those_are_named_that_readings_holds_twice(
    parts: list[tuple[bool, list[int]]],
) -> None:
    marks, landed = Marks(), Counter[int]()
    for quarantined, rows in parts:
        marks.add(QUARANTINE if quarantined else READINGS, np.array(rows, np.int64))
        landed.update([] if quarantined else rows)
    found = [row for part in marks.landed_again(1, 262_148) for row in part.tolist()]
    assert found == sorted(row for row, times in landed.items() if times > 1 and 1 <= row < 262_148)
