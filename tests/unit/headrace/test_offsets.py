"""Arithmetic of offsets, held by properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.offsets import OffsetRange, advance, between, clip, lag, reached, stop_after, text

positions = st.dictionaries(st.integers(0, 8), st.integers(0, 2**62), max_size=9)


@given(positions, positions)
def test_advancing_over_what_lies_between_reaches_the_target(
    start: dict[int, int], until: dict[int, int]
) -> None:
    after = advance(start, between(start, until))
    assert reached(after, until)
    assert all(
        after[partition] == max(start.get(partition, 0), until.get(partition, 0)) for partition in after
    )


@given(positions, positions)
def test_lag_is_what_between_holds_and_nought_once_reached(
    start: dict[int, int], end: dict[int, int]
) -> None:
    assert lag(start, end) == sum(len(each) for each in between(start, end))
    assert (lag(start, end) == 0) == reached(start, end)


@given(positions, positions, st.integers(1, 2**62))
def test_a_stop_lies_on_the_way_and_takes_as_much_as_it_may(
    start: dict[int, int], end: dict[int, int], most: int
) -> None:
    stop = stop_after(start, end, most)
    assert lag(start, stop) == min(most, lag(start, end))
    assert reached(end, stop)
    assert lag(start, stop) + lag(stop, end) == lag(start, end)


def test_a_stop_gives_every_partition_its_share() -> None:
    assert stop_after({0: 10}, {0: 110, 1: 300, 2: 5}, 81) == {0: 30, 1: 60, 2: 1}


@given(positions, positions, positions)
def test_batches_through_any_stop_cover_the_slice_once(
    start: dict[int, int], stop: dict[int, int], end: dict[int, int]
) -> None:
    stop = clip({p: max(start.get(p, 0), stop.get(p, 0)) for p in end}, end)
    first, second = between(start, stop), between(advance(start, between(start, stop)), end)
    assert sum(map(len, first)) + sum(map(len, second)) == lag(start, end)
    assert reached(advance(advance(start, first), second), end)


@given(positions, positions)
def test_clip_never_passes_the_limit(position: dict[int, int], limit: dict[int, int]) -> None:
    clipped = clip(position, limit)
    assert clipped.keys() == limit.keys()
    assert all(offset <= limit[partition] for partition, offset in clipped.items())


def test_a_range_that_does_not_begin_at_the_position_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0:\[5, 9\) does not begin at 4"):
        advance({0: 4}, [OffsetRange(partition=0, start=5, until=9)])


@pytest.mark.parametrize(("partition", "start", "until"), [(-1, 0, 1), (0, -1, 1), (0, 2, 1)])
def test_what_is_no_range_is_refused(partition: int, start: int, until: int) -> None:
    with pytest.raises(ValueError, match="no range"):
        OffsetRange(partition=partition, start=start, until=until)


def test_ranges_read_well() -> None:
    assert text(between({0: 1}, {0: 3, 1: 2, 2: 0})) == "0:[1, 3) 1:[0, 2)"
    assert text(()) == "nothing"
