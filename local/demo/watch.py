"""A run as it goes: its stages with their states, times and what each did in numbers, live or as lines."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from headrace.report.terminal import print_text
from local.stack.rest_api import Airflow

Numbers = Callable[[str], str]
"""What a stage that has succeeded did, in numbers, by its task id."""

Instances = list[dict[str, Any]]

WAITING = (None, "scheduled", "queued")
"""States that are no news in a log of lines."""

STYLES = {"success": "green", "failed": "red", "upstream_failed": "red", "running": "cyan"}


def watch(api: Airflow, dag_id: str, run_id: str, numbers: Numbers, console: Console) -> str:
    """Show the run's stages until it ends; returns its last state."""
    order = stage_order(api.tasks(dag_id))
    show = _live if console.is_terminal else _lines
    show(console, _snapshots(api, dag_id, run_id, order), numbers)
    return str(api.run(dag_id, run_id)["state"])


def stage_order(tasks: list[dict[str, Any]]) -> list[str]:
    """Task ids, each after all that stand before it in the DAG."""
    order = TopologicalSorter[str]({task["task_id"]: () for task in tasks})
    for task in tasks:
        for after in task["downstream_task_ids"]:
            order.add(after, task["task_id"])
    return list(order.static_order())


def _snapshots(api: Airflow, dag_id: str, run_id: str, order: list[str]) -> Iterator[Instances]:
    place = {task_id: number for number, task_id in enumerate(order)}
    ended = False
    while not ended:
        ended = api.run(dag_id, run_id)["state"] in ("success", "failed")
        yield sorted(api.task_instances(dag_id, run_id), key=lambda one: place.get(one["task_id"], 0))
        time.sleep(0.5)


def _lines(console: Console, snapshots: Iterator[Instances], numbers: Numbers) -> None:
    shown: dict[str, str | None] = {}
    for instances in snapshots:
        for instance in instances:
            task_id, now = instance["task_id"], instance["state"]
            if now not in WAITING and shown.get(task_id) != now:
                now_here = datetime.now()  # noqa: DTZ005  # the person's own clock
                line = f"  {now_here:%H:%M:%S} {_line(instance, numbers)}"
                print_text(console, line)
            shown[task_id] = now


def _line(instance: dict[str, Any], numbers: Numbers) -> str:
    task_id, now = instance["task_id"], instance["state"]
    took = f" after {_seconds(instance):.1f} s" if now in ("success", "failed") else ""
    did = numbers(task_id) if now == "success" else ""
    return f"{task_id}: {now}{took}{did and f': {did}'}"


def _live(console: Console, snapshots: Iterator[Instances], numbers: Numbers) -> None:
    did: dict[str, str] = {}
    with Live(console=console, auto_refresh=False) as live:
        for instances in snapshots:
            table = Table("stage", "state", "seconds", "try", "what it did")
            for instance in instances:
                task_id, now = instance["task_id"], instance["state"] or "-"
                if now == "success" and task_id not in did:
                    did[task_id] = numbers(task_id)
                took = f"{_seconds(instance):.1f}" if instance["start_date"] else ""
                tries = str(instance["try_number"]) if instance["start_date"] else ""
                table.add_row(
                    task_id, Text(now, STYLES.get(now, "")), took, tries, Text(did.get(task_id, ""))
                )
            live.update(table, refresh=True)


def _seconds(instance: dict[str, Any]) -> float:
    if not instance["start_date"]:
        return 0.0
    start = datetime.fromisoformat(instance["start_date"])
    end = datetime.fromisoformat(instance["end_date"]) if instance["end_date"] else datetime.now(start.tzinfo)
    return (end - start).total_seconds()
