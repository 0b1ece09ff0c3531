"""A seeded set of `make chaos`: whatever dies, every row of the slice is landed once."""

from collections.abc import Iterator

import pytest

from chaos.registry import chosen
from chaos.trial import run_trial
from chaos.world import Bench, new_bench
from testbed.streams import show

SEED = 5

SET = (
    "worker's newest commit to readings torn",
    "warehouse lost between two runs",
    "home lost while publishing, and the file grown",
    "broker's disk restored",
    "worker killed between staging and commit",
    "worker's staged files deleted",
    "no lock: paused worker beside its retry",
    "identity index truncated",
    "publisher killed before commit",
    "broker killed inside a transaction",
    "both engines in turn on one stream",
    "driver killed while it stages",
)
"""Cheap ones first: a worker's landing takes two seconds of processor time, a driver's more than ten."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A broker of the suite's own.

    Not the broker of the other tests: what they have left open in it would be part of each kill.
    """
    with new_bench(tmp_path_factory.mktemp("chaos")) as shared:
        yield shared


@pytest.mark.parametrize("name", SET)
def test_nothing_is_lost_and_nothing_doubled(bench: Bench, name: str) -> None:
    fault = next(each for each in chosen(name) if each.name == name)
    result = run_trial(fault, SEED, SET.index(name), bench)
    show(f"{name}: {result.rows} rows", *(f"  {note}" for note in result.notes))
    assert result.good, result.model_dump_json(indent=2)
