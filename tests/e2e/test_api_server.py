"""Airflow's API server on SQLite, with many people at it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from testbed.dag_stream import DagStream
from testbed.pipeline import Pipeline

pytestmark = pytest.mark.timeout(600)  # the start of the stack is in it

PEOPLE = 8
CLICKS = 24


def test_runs_triggered_at_the_same_moment_are_all_made(pipeline: Pipeline) -> None:
    stream = DagStream(pipeline.of("clicked"))  # paused: the runs are made, and wait
    stream.write_contract()
    pipeline.awaited(lambda: pipeline.airflow.dag(stream.name), seconds=120)
    with ThreadPoolExecutor(PEOPLE) as people:
        clicks = [people.submit(pipeline.airflow.trigger, stream.name) for _ in range(CLICKS)]
        runs = {click.result() for click in clicks}
    assert len(runs) == CLICKS
    stream.contract_file.unlink()
