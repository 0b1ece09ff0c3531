"""What `headrace new` says on a terminal: what was found, what the trial made of it, what remains."""

import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headrace.draft.drafting import Draft
from headrace.draft.guess import Guess
from headrace.draft.new import Drafted
from headrace.draft.writing import shown
from headrace.report.cells import visible
from headrace.report.terminal import print_rows, print_text

MOST = 12
"""Signals that are shown."""


def say(console: Console, drafted: Drafted, stream: str) -> None:
    """All of it."""
    draft = drafted.draft
    print_text(console, f"\n{draft.sample.look.said}", "bold")
    console.print(_found(draft))
    print_text(console, f"\nwritten: {drafted.file}", "bold")
    _say_trial(console, drafted)
    print_text(console, "\nwhat remains", "bold")
    for number, line in enumerate([*drafted.remains, *_always(drafted, stream)], 1):
        print_text(console, f"  {number}. {line}")


def _found(draft: Draft) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    for name, guess in draft.guesses.items():
        table.add_row(name, Text(visible(shown(guess.value))), _mark(guess))
        table.add_row("", Text(visible(guess.saw), "dim"), "")
    title = "signals"
    for column in draft.signals[:MOST]:
        table.add_row(title, Text.assemble(visible(column.name), (f"  {visible(column.saw)}", "dim")), "")
        title = ""
    if len(draft.signals) > MOST:
        table.add_row("", f"and {len(draft.signals) - MOST:,} more", "")
    return table


def _mark(guess: Guess[Any]) -> Text:
    return Text("sure", "green") if guess.sure else Text("UNSURE", "bold yellow")


def _say_trial(console: Console, drafted: Drafted) -> None:
    trial = drafted.trial
    if trial is None:
        print_text(console, f"tried:   it cannot be published as it is: {drafted.refusal}", "red")
        return
    refused = ", ".join(f"{count:,} {code}" for code, count in trial.refused.items()) or "none"
    print_text(
        console, f"tried:   {trial.records:,} records: {trial.readings:,} readings; refused: {refused}"
    )
    for warning in trial.warnings:
        print_text(console, f"         {warning}", "yellow")
    print_rows(console, "", trial.first_readings[:1], turned=True)
    print_rows(console, "first refused", trial.first_refused)


def _always(drafted: Drafted, stream: str) -> list[str]:
    return [
        f"read the contract, correct what is wrong, then: {_python()} -m headrace check {drafted.file}",
        f"within a minute Airflow shows the DAG {stream}: unpause and trigger it (make up starts the stack)",
    ]


def _python() -> str:
    """This Python, as short as it can be typed here."""
    python, here = Path(sys.executable), Path.cwd()
    return str(python.relative_to(here) if python.is_relative_to(here) else python)
