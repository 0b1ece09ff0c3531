"""What people do with runs in Airflow, by the real scheduler: nothing is lost by it, nothing lands twice."""

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import psutil
import pytest

from headrace.reconcile.ledger import read_ledger
from headrace.tables.batches import read_batches
from headrace.tables.queries import counts
from testbed.dag_stream import LINES, DagStream
from testbed.pipeline import Pipeline
from testbed.streams import show

pytestmark = pytest.mark.timeout(900)

NAMES = ("backfilled", "paused", "deleted", "marked")
STOPPED_SECONDS = 60
"""What a driver may take to end on a busy machine; how long it took is shown."""


@pytest.fixture(scope="module")
def streams(pipeline: Pipeline) -> dict[str, DagStream]:
    """Streams of their own, all at once: Airflow takes half a minute to see a new one."""
    streams = {name: DagStream(pipeline.of(f"runs_{name}")) for name in NAMES}
    streams["backfilled"].contract["schedule"] = "@daily"
    streams["marked"].contract["landing"]["engine"] = "spark"
    streams["marked"].write(*LINES[:20_001])
    for stream in streams.values():
        stream.write_contract()
    return streams


def landed_once(stream: DagStream, rows: int) -> None:
    """Every row of the source is a reading, and the newest account balances."""
    found = counts(stream.pipeline.warehouse)
    assert (found.readings, found.quarantine) == (rows, {})
    assert read_ledger(stream.pipeline.warehouse)[-1].balanced


def test_a_wrong_form_is_refused_when_it_is_sent(streams: dict[str, DagStream]) -> None:
    stream = streams["paused"]
    stream.pipeline.awaited(lambda: stream.pipeline.airflow.dag(stream.name), seconds=120)
    for conf in ({"records_per_batch": 0}, {"source_path": 7}, {"skip_report": "yes"}):
        asked = {"logical_date": None, "conf": conf}
        path = f"/api/v2/dags/{stream.name}/dagRuns"
        answer = stream.pipeline.airflow._http.post(path, json=asked)
        assert answer.status_code == 400, answer.text
        assert next(iter(conf)) in answer.text
    assert stream.pipeline.runs() == []


def test_a_run_paused_in_the_middle_goes_on_where_it_was(streams: dict[str, DagStream]) -> None:
    stream = streams["paused"]
    pipeline, dag = stream.pipeline, f"/api/v2/dags/{stream.name}"
    stream.start(skip_report=True)
    run_id = stream.runs[-1]
    pipeline.awaited(lambda: pipeline.states(run_id)["provision_topics"] == "success", seconds=120)
    pipeline.airflow._http.patch(dag, json={"is_paused": True}).raise_for_status()
    at_work = {"queued", "running"}
    pipeline.awaited(lambda: not at_work & set(pipeline.states(run_id).values()), seconds=120)
    assert pipeline.airflow.run(stream.name, run_id)["state"] == "running"
    assert pipeline.states(run_id)["reconcile"] != "success"
    pipeline.airflow.unpause(stream.name)
    assert stream.ended() == "success"
    assert pipeline.states(run_id)["report"] == "skipped"
    landed_once(stream, 3)


def test_two_triggers_at_once_are_two_runs_one_after_the_other(streams: dict[str, DagStream]) -> None:
    stream = streams["deleted"]
    with ThreadPoolExecutor(2) as both:
        runs = [each.result() for each in [both.submit(stream.pipeline.start) for _ in range(2)]]
    assert [stream.pipeline.ended(run_id) for run_id in runs] == ["success", "success"]
    landed_once(stream, 3)
    assert len(read_batches(stream.pipeline.warehouse)) == 1
    notes = {stream.pipeline.airflow.run(stream.name, run_id)["note"] for run_id in runs}
    assert "nothing new" in notes
    stream.runs += runs


def test_a_deleted_run_takes_nothing_along_and_a_cleared_one_adds_nothing(
    streams: dict[str, DagStream],
) -> None:
    stream = streams["deleted"]
    deleted, kept = stream.runs
    path = f"/api/v2/dags/{stream.name}/dagRuns/{quote(deleted, safe='')}"
    stream.pipeline.airflow._http.delete(path).raise_for_status()
    stream.pipeline.clear(kept, "land")
    assert stream.pipeline.ended(kept) == "success"
    stream.start()
    assert stream.ended() == "success"
    landed_once(stream, 3)
    assert len(read_batches(stream.pipeline.warehouse)) == 1


def test_a_backfill_lands_what_there_is_once_and_its_other_runs_have_nothing_new(
    streams: dict[str, DagStream],
) -> None:
    stream = streams["backfilled"]
    pipeline = stream.pipeline
    pipeline.awaited(lambda: pipeline.airflow.dag(stream.name), seconds=120)
    pipeline.airflow.unpause(stream.name)
    (scheduled,) = pipeline.awaited(pipeline.runs, seconds=120)
    # a backfill's runs are not held to the DAG's one active run: they would run beside the scheduled one
    assert pipeline.ended(scheduled) == "success"
    asked = {"dag_id": stream.name, "from_date": "2026-03-01T00:00:00Z", "to_date": "2026-03-02T00:00:00Z"}
    answer = pipeline.airflow._http.post("/api/v2/backfills", json={**asked, "max_active_runs": 1})
    answer.raise_for_status()
    path = f"/backfills/{answer.json()['id']}"
    pipeline.awaited(lambda: pipeline.airflow.get(path)["completed_at"], seconds=400)
    backfilled = [run_id for run_id in pipeline.runs() if run_id.startswith("backfill")]
    assert len(backfilled) == 2
    assert {pipeline.ended(run_id) for run_id in pipeline.runs()} == {"success"}
    landed_once(stream, 3)
    assert len(read_batches(pipeline.warehouse)) == 1


def test_a_task_marked_as_failed_ends_its_driver_and_clearing_it_lands_all(
    streams: dict[str, DagStream],
) -> None:
    stream = streams["marked"]
    pipeline = stream.pipeline
    stream.start()
    run_id = stream.runs[-1]
    driver = pipeline.awaited(lambda: _working(stream), seconds=300)
    path = f"/api/v2/dags/{stream.name}/dagRuns/{quote(run_id, safe='')}/taskInstances/land"
    pipeline.airflow._http.patch(path, json={"new_state": "failed"}).raise_for_status()
    began = time.monotonic()
    assert psutil.wait_procs(driver, timeout=STOPPED_SECONDS)[1] == []
    show(f"marked as failed: {len(driver)} processes ended within {time.monotonic() - began:.1f} s")
    assert stream.ended() == "failed"
    pipeline.clear(run_id, "land")
    assert pipeline.awaited(lambda: pipeline.airflow.run(stream.name, run_id)["state"] != "failed", 60)
    assert stream.ended() == "success"
    landed_once(stream, 20_000)
    state = pipeline.airflow.get(path.removeprefix("/api/v2") + "/state-store/progress")
    assert (state["value"]["landed"], state["value"]["lag"]) == (20_000 + _markers(stream), 0)


def _markers(stream: DagStream) -> int:
    """Offsets of the slice that no record has: the ends of transactions."""
    (whole,) = read_ledger(stream.pipeline.warehouse)[-1:]
    return sum(each.until - each.start for each in whole.slice.ranges) - 20_000


def _working(stream: DagStream) -> list[psutil.Process]:
    """The JVM of this stream's `land` with all that it started, once there is one."""
    try:
        driver = stream.pipeline.drivers("land")
        names = {process.name() for process in driver}
    except psutil.NoSuchProcess:
        return []
    return driver if "java" in names else []
