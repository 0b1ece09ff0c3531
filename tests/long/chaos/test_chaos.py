"""A seeded set of `make chaos`: whatever dies, every row of the slice is landed once."""

from collections.abc import Iterator

import pytest

from chaos.registry import chosen
from chaos.trial import run_trial
from chaos.world import Bench, new_bench
from testbed.streams import show

SEED = 5

SET = (
    "publisher killed before commit",
    "publisher killed before publications",
    "broker killed inside a transaction",
    "driver killed between files and commit",
    "driver killed after readings",
    "disk full while landing",
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A landing JVM and a broker of the suite's own.

    Not the broker of the other tests: what they have left open in it would be part of each kill.
    """
    with new_bench(tmp_path_factory.mktemp("chaos")) as shared:
        yield shared


@pytest.mark.parametrize("name", SET)
def test_nothing_is_lost_and_nothing_doubled(bench: Bench, name: str) -> None:
    (fault,) = chosen(name)
    result = run_trial(fault, SEED, SET.index(name), bench)
    show(f"{name}: {result.rows} rows", *(f"  {note}" for note in result.notes))
    assert result.good, result.model_dump_json(indent=2)
