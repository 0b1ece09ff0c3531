"""How contenders are held against each other."""

from bench.contest import Standing
from bench.process import Cost

QUICK = Standing("quick", 1_000_000, (Cost(8, 10, 1), Cost(10, 9, 3), Cost(40, 30, 2)))
SLOW = Standing("slow", 1_000_000, (Cost(20, 40, 5),))


def test_a_standing_is_the_median_of_its_runs() -> None:
    assert (QUICK.rate, QUICK.cpu, QUICK.least_cpu, QUICK.memory) == (100_000, 10, 9, 3)


def test_more_is_better_by_the_clock_and_by_processor_time() -> None:
    assert QUICK.of(SLOW) == (2, 4)
    assert SLOW.of(QUICK) == (0.5, 0.25)


def test_results_are_read_as_they_were_kept() -> None:
    assert Standing.from_record(QUICK.as_record()) == QUICK
