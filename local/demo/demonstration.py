"""The demonstration: one run of the wind turbine through the real stack, watched, and what came of it."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headrace.contract.loader import find_contract
from headrace.errors import RunFailed, StackUnhealthy
from headrace.reconcile.ledger import read_ledger
from headrace.report.cells import visible
from headrace.report.terminal import print_rows, print_text
from headrace.settings import Settings
from headrace.tables.queries import completeness, counts, first_rows
from headrace.tables.warehouse import Warehouse
from local.demo.stage_results import StageNumbers
from local.demo.watch import watch
from local.stack.airflow import airflow_url
from local.stack.credentials import USER, password_file
from local.stack.rest_api import Airflow

STREAM = "wind_turbine"


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


def failure(api: Airflow, run_id: str, lines: int = 30) -> str:
    """Which tasks of the run failed, each with its last log lines."""
    failed = []
    for instance in api.task_instances(STREAM, run_id):
        if instance["state"] == "failed":
            log = api.log(STREAM, run_id, instance["task_id"], instance["try_number"])
            failed.append("\n".join((f"{instance['task_id']} failed. Its last lines:", *log[-lines:])))
    return "\n\n".join(failed) or "no task says why: look at the run in the web UI"


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
    table.add_row("quarantine", Text(visible(quarantined)))
    table.add_row("days", f"{now.days:,}, of which {now.complete_days:,} are complete{missing}")
    table.add_row("hours", f"{now.hours:,}")
    table.add_row("batches", f"{now.batches:,}")
    account = read_ledger(warehouse)[-1]
    verdict = "every record is accounted for" if account.balanced else "; ".join(account.problems)
    table.add_row("ledger", Text(visible("\n".join((verdict, *account.lines())), but="\n")))
    console.print(table)
    for name in ("readings", "daily_completeness", "hourly_average"):
        rows = first_rows(contract, warehouse, name, 2)
        print_rows(console, f"{name}, the first rows", rows, turned=True)
    print_text(console, f"report     {warehouse.report(run_id)}")


def whereabouts(settings: Settings, console: Console) -> None:
    """Print where everything is and how to end it."""
    print_text(
        console,
        f"web UI     {airflow_url(settings)}\n"
        f"log in     {USER}, the password is in {password_file(settings.home_path)}\n"
        f"tables     {settings.warehouse_path}\n"
        f"logs       {settings.home_path / 'logs'}\n"
        f"to end it  make down",
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
    print_text(console, f"Run {run_id} of {STREAM}:")
    contract = find_contract(settings.streams_path, STREAM)
    numbers = StageNumbers(contract, Warehouse.of(settings, STREAM), api, run_id)
    if watch(api, STREAM, run_id, numbers, console) != "success":
        raise RunFailed(f"The run {run_id} failed.\n{failure(api, run_id)}")
    results(settings, console, run_id)
