"""Airflow's API server on SQLite, with many people at it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.conftest import Pipeline
from tests.e2e.wrong_input.bench import Bench

pytestmark = pytest.mark.timeout(600)  # the start of the stack is in it

PEOPLE = 8
CLICKS = 24


def test_runs_triggered_at_the_same_moment_are_all_made(pipeline: Pipeline) -> None:
    bench = Bench(pipeline.of("clicked"))  # paused: the runs are made, and wait
    bench.write_contract()
    pipeline.awaited(lambda: pipeline.airflow.dag(bench.stream), seconds=120)
    with ThreadPoolExecutor(PEOPLE) as people:
        clicks = [people.submit(pipeline.airflow.trigger, bench.stream) for _ in range(CLICKS)]
        runs = {click.result() for click in clicks}
    assert len(runs) == CLICKS
    bench.contract_file.unlink()
