"""The main job, through the real scheduler, broker and Spark: right tables, nothing twice, nothing lost.

The tests stand in the order in which they run: they share one stack, and go on where earlier ones ended.
"""

import json
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psutil
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from headrace.cli import app
from headrace.reconcile.ledger import read_ledger
from headrace.tables.queries import counts
from local.stack.airflow import airflow_url, headrace_environment
from testbed.answers import ROWS, assert_daily, assert_hourly, assert_readings
from testbed.pipeline import DAG, Pipeline

TASKS = ("land", "analyse", "report")

# The first test's time has the start of the stack and the first run in it.
pytestmark = [pytest.mark.usefixtures("first_run"), pytest.mark.timeout(900)]


def test_every_stage_and_gate_has_passed(pipeline: Pipeline, first_run: str) -> None:
    states = pipeline.states(first_run)
    assert set(states.values()) == {"success"}
    assert set(states) == {
        *("provision_topics", "publish", "land", "analyse", "reconcile", "report"),
        *("topic_ready", "published_visible", "landed", "analysed"),
    }


def test_readings_are_the_sources_rows(pipeline: Pipeline) -> None:
    assert_readings(pipeline.warehouse)


def test_daily_completeness_is_right(pipeline: Pipeline) -> None:
    assert_daily(pipeline.warehouse)


def test_hourly_averages_and_indicators_are_right(pipeline: Pipeline) -> None:
    assert_hourly(pipeline.warehouse)


def test_the_ledger_is_balanced(pipeline: Pipeline, first_run: str) -> None:
    entry = read_ledger(pipeline.warehouse)[-1]
    assert (entry.run_id, entry.balanced, entry.slice.landed) == (first_run, True, ROWS)


def test_the_runs_note_says_what_it_did(pipeline: Pipeline, first_run: str) -> None:
    note = pipeline.airflow.run(DAG, first_run)["note"]
    assert note == f"{ROWS:,} landed, readings through 2018-12-31 23:50"


def test_the_report_is_behind_the_login_and_its_task_links_to_it(pipeline: Pipeline, first_run: str) -> None:
    file = pipeline.warehouse.report(first_run)
    link = pipeline.report_link(first_run)
    assert (
        link == f"{airflow_url(pipeline.settings)}/headrace/reports/{DAG}?{urlencode({'run_id': first_run})}"
    )
    assert httpx.get(link, trust_env=False).status_code == 401
    shown = pipeline.page(link)
    assert (shown.status_code, shown.text) == (200, file.read_text(encoding="utf-8"))
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "2,030 of 52,560 readings are missing" in shown.text
    unknown = f"{airflow_url(pipeline.settings)}/headrace/reports/..%2F..%2Fetc?run_id=x"
    refused = pipeline.page(unknown)
    assert refused.status_code == 404
    assert DAG not in refused.text


def test_headrace_show_says_the_same(pipeline: Pipeline, first_run: str) -> None:
    shown = CliRunner().invoke(app, ["show", DAG, "--json"], env=headrace_environment(pipeline.settings))
    assert shown.exit_code == 0, shown.output
    now = json.loads(shown.stdout)
    assert (now["lag"], now["counts"]["readings"], now["counts"]["hours"]) == (0, ROWS, 8_439)
    assert (now["completeness"]["missing"], now["ledger"]["run_id"]) == (2_030, first_run)


def test_task_logs_say_what_was_done(pipeline: Pipeline, first_run: str) -> None:
    published = "\n".join(pipeline.airflow.log(DAG, first_run, "publish", 1))
    landed = "\n".join(pipeline.airflow.log(DAG, first_run, "land", 1))
    assert f"published {ROWS} of {ROWS} rows" in published
    assert "batch 0:" in landed
    assert "HEADRACE_JOB" not in landed


def test_a_second_run_adds_no_row_while_a_broken_contract_is_named(
    pipeline: Pipeline, broken_contract: Path, request: pytest.FixtureRequest
) -> None:
    before = counts(pipeline.warehouse)
    (error,) = pipeline.awaited(pipeline.airflow.import_errors, seconds=120)
    lines = broken_contract.read_text("utf-8").splitlines()
    line = 1 + next(number for number, text in enumerate(lines) if "partitions:" in text)
    assert f"{broken_contract}, line {line}: field topic.partitions" in error["stack_trace"]
    assert Path(error["filename"]).name == "broken_contracts.py"
    assert pipeline.airflow.dag("broken") is None
    idle_run = request.getfixturevalue("idle_run")
    assert pipeline.ended(idle_run) == "success"
    assert counts(pipeline.warehouse) == before
    assert pipeline.airflow.run(DAG, idle_run)["note"] == "nothing new"


def test_a_misspelt_parameter_ends_the_run_before_it_has_done_anything(pipeline: Pipeline) -> None:
    run_id = pipeline.start(republsh=True)
    assert pipeline.ended(run_id) == "failed"
    assert pipeline.task(run_id, "publish")["state"] == "upstream_failed"
    said = "\n".join(pipeline.airflow.log(DAG, run_id, "provision_topics", 1))
    assert "no parameter 'republsh'; there are accept_loss, records_per_batch, republish" in said


def test_a_stage_marked_as_success_is_named_and_clearing_it_helps(pipeline: Pipeline) -> None:
    run_id = pipeline.start()
    pipeline.mark_success(run_id, "publish")
    assert pipeline.ended(run_id) == "failed"
    said = "\n".join(pipeline.airflow.log(DAG, run_id, "published_visible", 1))
    assert "nobody has told until: was the task that tells it marked as success by hand? Clear it" in said
    pipeline.clear(run_id, "publish")
    assert pipeline.ended(run_id) == "success"


def test_a_run_with_nothing_new_starts_no_jvm_and_says_why(
    pipeline: Pipeline, first_run: str, idle_run: str
) -> None:
    said = {task: "\n".join(pipeline.airflow.log(DAG, idle_run, task, 1)) for task in TASKS}
    assert "nothing new: topic wind_turbine.readings ends at" in said["land"]
    assert "nothing new: no batch was landed since the last analysis" in said["analyse"]
    assert f"nothing new since run {first_run}: its report stands" in said["report"]
    for task in ("land", "analyse"):
        assert "spark" not in said[task].lower(), said[task]
    shown = pipeline.page(pipeline.report_link(idle_run))
    assert shown.text == pipeline.page(pipeline.report_link(first_run)).text


def test_assets_are_told_of_what_is_new_and_not_of_idle_runs(
    pipeline: Pipeline, first_run: str, idle_run: str
) -> None:
    events = pipeline.airflow.get("/assets/events", limit=100)["asset_events"]
    told = {event["name"]: event for event in events if event["source_run_id"] == first_run}
    tables = {
        "readings": ROWS,
        "quarantine": 0,
        "daily_completeness": 356,
        "hourly_average": 8_439,
        "ledger": ROWS,
    }
    assert {f"{DAG}/{table}": rows for table, rows in tables.items()} == {
        name: event["extra"]["rows"] for name, event in told.items() if name.startswith(DAG)
    }
    ends = told[f"topic:{DAG}.readings"]["extra"]["position"]
    assert told[f"{DAG}/readings"]["extra"]["position"] == ends
    assert told[f"{DAG}/ledger"]["extra"]["complete_through"] == "2018-12-31T20:50:00+00:00"
    assert [event for event in events if event["source_run_id"] == idle_run] == []


def test_tasks_are_forked_from_workers_that_hold_their_imports(pipeline: Pipeline) -> None:
    """And not polars, whose makers warn of a fork."""
    scheduler = psutil.Process(pipeline.stack.supervisor.state("scheduler").pid)
    workers = [each for each in scheduler.children() if "LocalExecutor" in " ".join(each.cmdline())]
    assert len(workers) == 4
    for worker in workers:
        libraries = " ".join(mapped.path for mapped in worker.memory_maps())
        assert "/pyarrow/" in libraries
        assert "polars" not in libraries


def test_a_gate_waits_in_the_triggerer_until_records_are_visible(
    pipeline: Pipeline, open_transaction: Producer, republished: str
) -> None:
    def gate() -> str:
        return str(pipeline.task(republished, "published_visible")["state"])

    assert pipeline.awaited(lambda: gate() == "deferred", seconds=200)
    open_transaction.abort_transaction(30)
    assert pipeline.awaited(lambda: gate() == "success", seconds=60)


def test_a_task_killed_while_it_lands_is_tried_again_and_nothing_is_lost_or_doubled(
    pipeline: Pipeline, republished: str
) -> None:
    run_id, before = republished, counts(pipeline.warehouse)
    driver = pipeline.awaited(lambda: _whole_driver(pipeline), seconds=200)
    pipeline.task_of(driver).kill()
    # Its driver sees that nobody waits for it any more.
    assert psutil.wait_procs(driver, timeout=60)[1] == []
    assert pipeline.awaited(lambda: pipeline.task(run_id, "land")["try_number"] == 2, seconds=90)
    assert pipeline.ended(run_id) == "success", pipeline.states(run_id)
    after = counts(pipeline.warehouse)
    assert (after.readings, after.days, after.hours) == (before.readings, before.days, before.hours)
    assert after.quarantine == {"duplicate": ROWS}  # the source once more, each row known already
    entry = read_ledger(pipeline.warehouse)[-1]
    assert (entry.run_id, entry.balanced, entry.slice.quarantined) == (run_id, True, ROWS)


def _whole_driver(pipeline: Pipeline) -> list[psutil.Process]:
    """The JVM and the Python of `land`, once both run; a kept driver's run before."""
    driver = pipeline.drivers("land")
    try:
        names = {process.name().rstrip("0123456789.") for process in driver}
    except psutil.NoSuchProcess:  # spark-submit's own launcher ends as the JVM begins
        return []
    return driver if {"java", "python"} <= names else []
