"""Sets of numbers by bits do what Python's own sets do."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.reconcile.number_set import SIZE, NumberSet, Tally

NEAR = st.one_of(
    st.integers(0, 60), st.integers(SIZE - 30, SIZE + 30), st.integers(5 * SIZE - 3, 5 * SIZE + 3)
)
"""Numbers at the ends of chunks, near enough to one another to come twice."""

LISTS = st.lists(st.lists(NEAR, max_size=40), max_size=5)


def array(numbers: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def made(numbers: list[int]) -> NumberSet:
    own = NumberSet()
    own.add(array(numbers))
    return own


@settings(deadline=None, max_examples=50)
@given(LISTS)
def test_what_was_there_already_comes_back(parts: list[list[int]]) -> None:
    own, seen = NumberSet(), Counter[int]()
    for part in parts:
        repeats = own.add(array(part)).tolist()
        expected = [number for at, number in enumerate(part) if number in seen or number in part[:at]]
        assert sorted(repeats) == sorted(expected)
        seen.update(part)
    assert len(own) == len(seen)
    assert own == made(list(seen))


@settings(deadline=None, max_examples=50)
@given(st.lists(NEAR), NEAR, NEAR)
def test_ranges_are_counted_and_listed(numbers: list[int], start: int, until: int) -> None:
    own = made(numbers)
    expected = {number for number in numbers if start <= number < until}
    assert own.count(start, until) == len(expected)
    assert [each for part in own.within(start, until) for each in part.tolist()] == sorted(expected)
    asked = sorted({*numbers, start, until})
    assert own.has(array(asked)).tolist() == [number in numbers for number in asked]


@settings(deadline=None, max_examples=50)
@given(st.lists(NEAR), st.integers(0, 50), st.integers(0, SIZE + 20))
def test_absent_numbers_are_listed(numbers: list[int], start: int, until: int) -> None:
    found = [each for part in made(numbers).absent(start, until) for each in part.tolist()]
    assert found == sorted(set(range(start, until)) - set(numbers))


@settings(deadline=None, max_examples=50)
@given(st.lists(NEAR), st.lists(NEAR), NEAR, NEAR)
def test_differences_are_listed(mine: list[int], others: list[int], start: int, until: int) -> None:
    found = [each for part in made(mine).without(made(others), start, until) for each in part.tolist()]
    assert found == sorted(each for each in set(mine) - set(others) if start <= each < until)


@settings(deadline=None, max_examples=50)
@given(LISTS)
def test_a_tally_knows_how_often(parts: list[list[int]]) -> None:
    tally, times = Tally(), Counter[int]()
    for part in parts:
        tally.add(array(part))
        times.update(part)
    assert tally.total == times.total()
    numbers = sorted(times)
    assert tally.times(array(numbers)).tolist() == [times[number] for number in numbers]
    again = [each for part in tally.again.within(0, 2**63 - 1) for each in part.tolist()]
    assert again == sorted(number for number, count in times.items() if count > 1)


def test_a_number_may_be_as_large_as_an_offset() -> None:
    largest = 2**63 - 1
    own = made([largest, 0])
    assert (own.has(array([largest - 1, largest])).tolist(), len(own)) == ([False, True], 2)
    assert own.count(largest - 5, largest) == 0


def test_a_number_that_comes_ever_again_ends_at_a_hundred() -> None:
    tally = Tally()
    tally.add(array([7] * 1_000))
    assert (tally.times(array([7])).tolist(), tally.total) == ([Tally.MOST], 1_000)


def test_damaged_bytes_are_no_numbers() -> None:
    own = made([1])
    chunk = own.chunks[0]
    broken = NumberSet({0: type(chunk)(1, chunk.packed[:-3])})
    with pytest.raises(ValueError, match="no packed numbers"):
        list(broken.within(0, 5))
