"""What the benchmark of ageing makes of the batches' own times."""

from datetime import timedelta

from bench.ageing import Ageing
from testbed.batch_rows import MIDNIGHT, a_batch


def test_the_ends_are_held_against_each_other_by_their_medians() -> None:
    spans = [1, 3, 2] + [7] * 24 + [6, 90, 5]  # between 31 batches
    seconds = [sum(spans[:count]) for count in range(len(spans) + 1)]
    ended = (MIDNIGHT + timedelta(seconds=second) for second in seconds)
    measured = Ageing.of([a_batch(number, finished=at) for number, at in enumerate(ended)])
    assert measured.seconds == tuple(spans)
    assert (measured.share, measured.first, measured.last, measured.ratio) == (3, 2, 6, 3)
