"""`headrace`: the command for a person's hands."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from headrace.contract.loader import contract_files, find_contract, load_contract
from headrace.errors import ContractError, HeadraceError, SettingsError
from headrace.migrate.migration import migrate
from headrace.offsets import text
from headrace.reference_pages import schema_text, write_schema
from headrace.report.cells import visible
from headrace.report.overview import Overview, overview
from headrace.report.terminal import print_rows, print_text
from headrace.settings import load_settings
from headrace.tables.batches import Batch
from headrace.tables.warehouse import Warehouse
from headrace.try_sample import try_sample

AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

out = Console()
err = Console(stderr=True)


@app.callback()
def headrace() -> None:
    """Kafka to Delta in gated micro-batches, every record accounted for."""


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="contracts; without any, all of the project")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check contracts; name file, line, field and the way out of each fault.

    Exit code 0 when all are good, 1 when one is wrong or there is none.
    """
    try:
        folder = load_settings().streams_path
        checked = [_checked(file) for file in files or contract_files(folder)]
        if not checked:
            raise SettingsError(f"no contract in {folder}; write <stream>.yaml there, or name a file")
    except HeadraceError as wrong:
        raise _ended(wrong, 1) from wrong
    broken = [each for each in checked if each.fault]
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in checked], indent=2, ensure_ascii=False))
    else:
        for each in checked:
            if each.fault:
                print_text(err, each.fault)
            else:
                print_text(out, f"{each.file}: stream {each.stream}, topic {each.topic}: good")
        if broken:
            print_text(err, f"{len(broken)} of {len(checked)} contracts are wrong")
    raise typer.Exit(1 if broken else 0)


@dataclass(frozen=True)
class Checked:
    """One contract's file: its stream and topic, or what is wrong with it."""

    file: str
    stream: str | None = None
    topic: str | None = None
    fault: str | None = None


def _checked(file: Path) -> Checked:
    try:
        contract = load_contract(file)
    except ContractError as wrong:
        return Checked(str(file), fault=str(wrong))
    return Checked(str(file), contract.stream, contract.topic.name)


def _ended(wrong: HeadraceError, code: int) -> typer.Exit:
    """How a command ends that could not do its work."""
    print_text(err, str(wrong))
    return typer.Exit(code)


@app.command()
def schema(
    write: Annotated[bool, typer.Option(help="bring the committed schema and pages up to date")] = False,
) -> None:
    """Print the JSON Schema of contracts, with which editors complete them."""
    if write:
        for file in write_schema():
            print_text(out, f"{file}: written")
    else:
        typer.echo(schema_text(), nl=False)


@app.command()
def show(
    stream: Annotated[str, typer.Argument(help="a stream's id")],
    as_json: AsJson = False,
    bootstrap: Annotated[
        str | None, typer.Option(help="the broker; without it the embedded one, on HEADRACE_KAFKA_PORT")
    ] = None,
) -> None:
    """Show where a stream stands: position, lag, tables, newest batches, newest account.

    Exit code 0, also while the broker is away (the lag is unknown then); 1 when there is no such stream.
    """
    try:
        settings = load_settings()
        broker = {"bootstrap.servers": bootstrap or f"127.0.0.1:{settings.kafka_port}"}
        now = overview(find_contract(settings.streams_path, stream), Warehouse.of(settings, stream), broker)
    except HeadraceError as wrong:
        raise _ended(wrong, 1) from wrong
    if as_json:
        typer.echo(now.model_dump_json(indent=2))
    else:
        _print(now)


@app.command(name="migrate")
def migrate_(
    stream: Annotated[str, typer.Argument(help="a stream's id")],
    remove_old: Annotated[
        bool, typer.Option("--remove-old", help="remove the old tables, which are kept otherwise")
    ] = False,
) -> None:
    """Bring a stream's tables to the layout of this version: rewritten beside, verified, exchanged.

    Exit code 0 when they have it, also when there was nothing to do; 1 when it could not be done, and nothing
    is lost: run it again when the cause is gone. Killed, it goes on when it is run again.
    """
    try:
        migrate(Warehouse.of(load_settings(), stream), lambda line: print_text(out, line), remove_old)
    except HeadraceError as wrong:
        raise _ended(wrong, 1) from wrong


@app.command(name="try")
def try_(
    contract: Annotated[Path, typer.Argument(help="a contract's file")],
    sample: Annotated[
        Path, typer.Argument(help="a CSV file, or for an external source one JSON record a line")
    ],
    rows: Annotated[int, typer.Option(min=0, help="how many readings and refusals to show")] = 5,
    as_json: AsJson = False,
) -> None:
    """Parse a sample as landing would, without Kafka: counts, first readings, first refusals with reasons.

    Exit code 0 when every record becomes a reading, 1 when one is refused, 2 when nothing could be read.
    """
    try:
        trial = try_sample(load_settings(), contract, sample, rows)
    except HeadraceError as wrong:
        raise _ended(wrong, 2) from wrong
    if as_json:
        typer.echo(trial.model_dump_json(indent=2))
    else:
        refused = ", ".join(f"{count:,} {code}" for code, count in trial.refused.items()) or "none"
        print_text(out, f"{trial.records:,} records: {trial.readings:,} readings; refused: {refused}")
        print_rows(out, "first readings", trial.first_readings)
        print_rows(out, "first refused", trial.first_refused)
    raise typer.Exit(1 if trial.refused else 0)


def _print(now: Overview) -> None:
    counts = now.counts
    facts = Table.grid(Column(), Column(overflow="fold"), padding=(0, 2))
    lag = f"{now.lag:,} offsets" if now.lag is not None else f"unknown: {now.lag_unknown}"
    refused = ", ".join(f"{count:,} {code}" for code, count in counts.quarantine.items()) or "nothing"
    slots = now.completeness
    # Without a cadence no day is complete or incomplete.
    complete = (
        f", {counts.complete_days:,} complete; {slots.missing:,} of {slots.expected:,} readings missing"
        if slots
        else ""
    )
    for name, value in (
        ("stream", now.stream),
        ("topic", now.topic),
        ("position", " ".join(f"{partition}:{offset}" for partition, offset in now.position.items()) or "-"),
        ("lag", lag),
        ("readings", f"{counts.readings:,}"),
        ("quarantine", refused),
        ("days", f"{counts.days:,}{complete}"),
        ("hours", f"{counts.hours:,}"),
        ("tables", now.warehouse),
    ):
        facts.add_row(name, Text(visible(value, but="\n")))
    out.print(facts)
    if not now.batches:
        print_text(out, "no batches yet")
    print_rows(out, f"newest of {counts.batches} batches", [_row(batch) for batch in now.batches])
    for line in now.ledger.lines() if now.ledger else ["not reconciled yet"]:
        print_text(out, line)
    for problem in now.ledger.problems if now.ledger else ():
        print_text(out, f"  {problem}")


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
