"""Where a stream stands, on a terminal."""

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from headrace.offsets import position_text, text
from headrace.report.cells import visible
from headrace.report.overview import Overview
from headrace.report.terminal import print_rows, print_text
from headrace.tables.batches import Batch


def print_overview(console: Console, now: Overview) -> None:
    """Print the stream's facts, its newest readings and batches, and its newest account."""
    facts = Table.grid(Column(), Column(overflow="fold"), padding=(0, 2))
    for name, value in _facts(now):
        facts.add_row(name, Text(visible(value, but="\n")))
    console.print(facts)
    print_rows(console, "newest readings", now.newest)
    if not now.batches:
        print_text(console, "no batches yet")
    print_rows(console, f"newest of {now.counts.batches} batches", [_row(batch) for batch in now.batches])
    for line in now.ledger.lines() if now.ledger else ["not reconciled yet"]:
        print_text(console, line)
    for problem in now.ledger.problems if now.ledger else ():
        print_text(console, f"  {problem}")


def _facts(now: Overview) -> tuple[tuple[str, str], ...]:
    counts = now.counts
    lag = f"{now.lag:,} offsets" if now.lag is not None else f"unknown: {now.lag_unknown}"
    refused = ", ".join(f"{count:,} {code}" for code, count in counts.quarantine.items()) or "nothing"
    slots = now.completeness
    # Without a cadence no day is complete or incomplete.
    complete = (
        f", {counts.complete_days:,} complete; {slots.missing:,} of {slots.expected:,} readings missing"
        if slots
        else ""
    )
    return (
        ("stream", now.stream),
        ("topic", now.topic),
        ("position", position_text(now.position) if now.position else "-"),
        ("lag", lag),
        ("readings", f"{counts.readings:,}"),
        ("quarantine", refused),
        ("days", f"{counts.days:,}{complete}"),
        *([("outside", slots.remark())] if slots and slots.outside_days else []),
        ("hours", f"{counts.hours:,}"),
        ("tables", now.warehouse),
    )


def _row(batch: Batch) -> dict[str, str]:
    return {
        "batch": str(batch.batch),
        "kind": batch.kind,
        "ranges": text(batch.ranges),
        "records": f"{batch.records:,}",
        "landed": f"{batch.landed:,}",
        "quarantined": f"{batch.quarantined:,}",
        "finished (UTC)": f"{batch.finished:%Y-%m-%d %H:%M:%S}",
    }
