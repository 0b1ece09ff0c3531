"""The demonstration: one run of the wind turbine through the real stack, watched, and what came of it."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from headrace.contract_file import find_contract
from headrace.errors import RunFailed, StackUnhealthy
from headrace.ledger import read_ledger
from headrace.queries import completeness, counts, first_rows
from headrace.settings import Settings
from headrace.warehouse import Warehouse
from local.airflow import airflow_url
from local.rest import Airflow
from local.secrets import USER, password_file

STREAM = "wind_turbine"

WAITING = (None, "scheduled", "queued")
"""States that are no news in a log of lines."""

STYLES = {"success": "green", "failed": "red", "upstream_failed": "red", "running": "cyan"}


def wait_for_dag(api: Airflow, within: float = 120) -> None:
    """Return when Airflow has parsed the DAG.

    Raises:
        StackUnhealthy: its file cannot be imported (the message has the error), or it did not come in time.
    """
    deadline = time.monotonic() + within
    while (dag := api.dag(STREAM)) is None or dag.get("has_import_errors"):
        for error in api.import_errors():
            if STREAM in error["stack_trace"] or dag is not None:
                raise StackUnhealthy(f"{error['filename']} cannot be imported:\n{error['stack_trace']}")
        if time.monotonic() > deadline:
            traces = "\n".join(error["stack_trace"] for error in api.import_errors())
            raise StackUnhealthy(f"Airflow has not parsed the DAG {STREAM} after {within:.0f} s.\n{traces}")
        time.sleep(0.5)


def watch(api: Airflow, run_id: str, console: Console) -> str:
    """Show the run's stages until it ends; returns its last state."""
    order = stage_order(api.tasks(STREAM))
    show = _live if console.is_terminal else _lines
    show(console, _snapshots(api, run_id, order))
    return str(api.run(STREAM, run_id)["state"])


def stage_order(tasks: list[dict[str, Any]]) -> list[str]:
    """Task ids, each after all that stand before it in the DAG."""
    waiting = {task["task_id"]: 0 for task in tasks}
    for task in tasks:
        for after in task["downstream_task_ids"]:
            waiting[after] += 1
    downstream = {task["task_id"]: task["downstream_task_ids"] for task in tasks}
    order = [task_id for task_id, before in waiting.items() if not before]
    for task_id in order:  # grows while it is walked
        for after in downstream[task_id]:
            waiting[after] -= 1
            if not waiting[after]:
                order.append(after)
    return order


def _snapshots(api: Airflow, run_id: str, order: list[str]) -> Iterator[list[dict[str, Any]]]:
    place = {task_id: number for number, task_id in enumerate(order)}
    ended = False
    while not ended:
        ended = api.run(STREAM, run_id)["state"] in ("success", "failed")
        yield sorted(api.task_instances(STREAM, run_id), key=lambda one: place.get(one["task_id"], 0))
        time.sleep(0.5)


def _lines(console: Console, snapshots: Iterator[list[dict[str, Any]]]) -> None:
    shown: dict[str, str | None] = {}
    for instances in snapshots:
        for instance in instances:
            task_id, now = instance["task_id"], instance["state"]
            if now not in WAITING and shown.get(task_id) != now:
                took = f" after {_seconds(instance):.1f} s" if now in ("success", "failed") else ""
                console.print(f"  {datetime.now():%H:%M:%S} {task_id}: {now}{took}", markup=False)  # noqa: DTZ005  # the person's own clock
            shown[task_id] = now


def _live(console: Console, snapshots: Iterator[list[dict[str, Any]]]) -> None:
    with Live(console=console, auto_refresh=False) as live:
        for instances in snapshots:
            table = Table("stage", "state", "seconds", "try")
            for instance in instances:
                now = instance["state"] or "-"
                took = f"{_seconds(instance):.1f}" if instance["start_date"] else ""
                tries = str(instance["try_number"]) if instance["start_date"] else ""
                table.add_row(instance["task_id"], Text(now, STYLES.get(now, "")), took, tries)
            live.update(table, refresh=True)


def _seconds(instance: dict[str, Any]) -> float:
    if not instance["start_date"]:
        return 0.0
    start = datetime.fromisoformat(instance["start_date"])
    end = datetime.fromisoformat(instance["end_date"]) if instance["end_date"] else datetime.now(start.tzinfo)
    return (end - start).total_seconds()


def failure(api: Airflow, run_id: str, lines: int = 30) -> str:
    """Which tasks of the run failed, each with its last log lines."""
    told = []
    for instance in api.task_instances(STREAM, run_id):
        if instance["state"] == "failed":
            log = api.log(STREAM, run_id, instance["task_id"], instance["try_number"])
            told.append("\n".join((f"{instance['task_id']} failed. Its last lines:", *log[-lines:])))
    return "\n\n".join(told) or "no task says why: look at the run in the web UI"


def results(settings: Settings, console: Console, run_id: str) -> None:
    """Print what is in the tables now, the ledger's verdict of the run, and where its report is."""
    contract = find_contract(settings.streams_path, STREAM)
    warehouse = Warehouse.of(settings, STREAM)
    now = counts(warehouse)
    quarantined = ", ".join(f"{count} {reason}" for reason, count in now.quarantine.items()) or "0"
    slots = completeness(contract, warehouse)
    missing = f"; {slots.missing:,} of {slots.expected:,} readings missing" if slots else ""
    table = Table(title=f"{STREAM}: what is in the tables", show_header=False, title_justify="left")
    table.add_row("readings", f"{now.readings:,}")
    table.add_row("quarantine", quarantined)
    table.add_row("days", f"{now.days:,}, of which {now.complete_days:,} are complete{missing}")
    table.add_row("hours", f"{now.hours:,}")
    table.add_row("batches", f"{now.batches:,}")
    account = read_ledger(warehouse)[-1]
    verdict = "every record is accounted for" if account.balanced else "; ".join(account.problems)
    table.add_row("ledger", Text("\n".join((verdict, *account.lines()))))
    console.print(table)
    for name in ("daily_completeness", "hourly_average"):
        _print_rows(console, name, first_rows(contract, warehouse, name, 2))
    console.print(f"report     {warehouse.report(run_id)}", markup=False, soft_wrap=True)


def _print_rows(console: Console, name: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    # A row a column: so they fit a terminal of 80 characters.
    table = Table(title=f"{name}, the first rows", show_header=False, title_justify="left")
    table.add_column(no_wrap=True)
    for column in rows[0]:
        cells = [row[column] for row in rows]
        if any(cell is not None for cell in cells):
            table.add_row(Text(column), *(Text(_cell(cell)) for cell in cells))
    console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def whereabouts(settings: Settings, console: Console) -> None:
    """Print where everything is and how to end it."""
    console.print(
        f"web UI     {airflow_url(settings)}\n"
        f"log in     {USER}, the password is in {password_file(settings.home_path)}\n"
        f"tables     {settings.warehouse_path}\n"
        f"logs       {settings.home_path / 'logs'}\n"
        f"to end it  make down",
        markup=False,
        soft_wrap=True,
    )


def demonstrate(settings: Settings, api: Airflow, console: Console, report: Callable[[str], None]) -> None:
    """Unpause and trigger the wind turbine, watch the run, print the results.

    Raises:
        RunFailed: the run did not succeed.
    """
    report("waiting for Airflow to parse the DAG")
    wait_for_dag(api)
    api.unpause(STREAM)
    run_id = api.trigger(STREAM)
    console.print(f"Run {run_id} of {STREAM}:", markup=False)
    if watch(api, run_id, console) != "success":
        raise RunFailed(f"The run {run_id} failed.\n{failure(api, run_id)}")
    results(settings, console, run_id)
