"""What the benchmark of ageing makes of the batches' own times."""

from datetime import UTC, datetime, timedelta

from bench.ageing import Ageing
from headrace.batches import Batch
from headrace.offsets import OffsetRange


def ended(number: int, second: float) -> Batch:
    return Batch(
        batch=number,
        kind="batch",
        topic_id="t",
        ranges=(OffsetRange(partition=0, start=number, until=number + 1),),
        records=1,
        landed=1,
        quarantined=0,
        run_id="run",
        try_id="try",
        contract_sha256="c",
        started=datetime(2018, 1, 1, tzinfo=UTC),
        finished=datetime(2018, 1, 1, tzinfo=UTC) + timedelta(seconds=second),
    )


def test_the_ends_are_held_against_each_other_by_their_medians() -> None:
    spans = [1, 3, 2] + [7] * 24 + [6, 90, 5]  # between 31 batches
    seconds = [sum(spans[:count]) for count in range(len(spans) + 1)]
    measured = Ageing.of([ended(number, second) for number, second in enumerate(seconds)])
    assert measured.seconds == tuple(spans)
    assert (measured.share, measured.first, measured.last, measured.ratio) == (3, 2, 6, 3)
