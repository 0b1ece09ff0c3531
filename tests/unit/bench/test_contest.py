"""How contenders are held against each other."""

from bench.contest import Standing
from bench.process import Cost


def standing(name: str, *runs: tuple[float, float]) -> Standing:
    return Standing(name, 1_000, tuple(Cost(seconds, cpu, 1 << 20) for seconds, cpu in runs))


def test_a_ratio_is_of_medians_and_more_is_better() -> None:
    ours = standing("ours", (2, 1), (9, 9), (2, 1))
    theirs = standing("theirs", (1, 2), (1, 2), (1, 2))
    assert (ours.rate, ours.cpu) == (500, 1_000)
    assert ours.of(theirs) == (0.5, 2.0)


def test_a_standing_comes_back_from_a_file_of_results() -> None:
    kept = standing("ours", (2, 1), (9, 9))
    assert Standing.from_record(kept.as_record()) == kept
