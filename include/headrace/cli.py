"""`headrace`: the command for a person's hands."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from headrace.contract.loader import contract_files, find_contract, load_contract
from headrace.errors import ContractError, HeadraceError, SettingsError
from headrace.report.terminal import print_rows, print_text
from headrace.settings import Settings, load_settings
from headrace.tables.gold_columns import column_comments

if TYPE_CHECKING:
    from headrace.contract.model import Contract
    from headrace.sample.account import Trial

# What takes long to import is imported by the command that needs it: a person waits for each of them.

AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]

Bootstrap = Annotated[
    str | None,
    typer.Option(
        help="the broker; else that of the connection in AIRFLOW_CONN_KAFKA_DEFAULT, or the embedded one"
    ),
]

CONNECTION = "AIRFLOW_CONN_KAFKA_DEFAULT"
"""Where the environment holds the connection that tasks have, commands take it from there too."""

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
        column_comments(contract)
        _require_sql(contract)
    except ContractError as wrong:
        return Checked(str(file), fault=f"{file}: {wrong}" if str(file) not in str(wrong) else str(wrong))
    return Checked(str(file), contract.stream, contract.topic.name)


def _require_sql(contract: "Contract") -> None:
    """Raise ContractError where a rule or a table's SQL cannot be meant; without any it costs nothing."""
    if contract.analysis.tables:
        from headrace.analyse.sql_tables import sql_schemas

        sql_schemas(contract)
    if contract.record.rules:
        from headrace.parse.rules import Rules

        Rules(contract.record)


def _broker(settings: Settings, bootstrap: str | None) -> dict[str, Any]:
    """The broker that a command asks: the connection's or the named one, else the embedded one.

    Raises:
        SettingsError: the connection in the environment is not written as JSON.
    """
    from headrace.kafka.login import embedded_broker

    named = {"bootstrap.servers": bootstrap} if bootstrap else {}
    if connection := os.environ.get(CONNECTION):
        try:
            extra = json.loads(connection)["extra"]
            return dict(json.loads(extra) if isinstance(extra, str) else extra) | named
        except (ValueError, KeyError, TypeError):
            raise SettingsError(
                f'{CONNECTION} is no JSON with an "extra", which alone this command reads: write it so, or '
                "unset it and name the broker by --bootstrap"
            ) from None  # its text holds a password
    return named or embedded_broker(settings)


def _ended(wrong: HeadraceError, code: int) -> typer.Exit:
    """How a command ends that could not do its work."""
    print_text(err, str(wrong))
    return typer.Exit(code)


@app.command()
def schema(
    write: Annotated[bool, typer.Option(help="bring the committed schema and pages up to date")] = False,
) -> None:
    """Print the JSON Schema of contracts, with which editors complete them."""
    from headrace.reference_pages import schema_text, write_schema

    if write:
        for file in write_schema():
            print_text(out, f"{file}: written")
    else:
        typer.echo(schema_text(), nl=False)


@app.command()
def show(
    stream: Annotated[str, typer.Argument(help="a stream's id")],
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Show where a stream stands: position, lag, tables, newest readings and batches, newest account.

    Exit code 0, also while the broker is away (the lag is unknown then); 1 when there is no such stream.
    """
    from headrace.no_pandas import spare_pandas
    from headrace.report.overview import overview
    from headrace.report.standing import print_overview
    from headrace.tables.warehouse import Warehouse

    spare_pandas()
    try:
        settings = load_settings()
        warehouse = Warehouse.of(settings, stream)
        now = overview(find_contract(settings.streams_path, stream), warehouse, _broker(settings, bootstrap))
    except HeadraceError as wrong:
        raise _ended(wrong, 1) from wrong
    if as_json:
        typer.echo(now.model_dump_json(indent=2))
    else:
        print_overview(out, now)


@app.command()
def plan(
    stream: Annotated[str, typer.Argument(help="a stream's id")],
    bootstrap: Bootstrap = None,
) -> None:
    """Show what the next run's `provision_topics` does to the stream's topic; nothing is changed.

    Exit code 0 when the topic is as its contract declares, 2 when something is to be changed, 1 when
    something is refused or could not be asked.
    """
    from headrace.provision.provision import make_plan
    from headrace.tables.warehouse import Warehouse

    try:
        settings = load_settings()
        contract = find_contract(settings.streams_path, stream)
        made = make_plan(contract, Warehouse.of(settings, stream), _broker(settings, bootstrap))
    except HeadraceError as wrong:
        raise _ended(wrong, 1) from wrong
    for line in made.lines():
        print_text(out, line)
    raise typer.Exit(1 if made.refused else 0 if made.is_empty else 2)


@app.command(name="audit")
def audit_(
    stream: Annotated[str, typer.Argument(help="a stream's id")],
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Count everything of a stream again, from the source up, and seal it; landing may go on meanwhile.

    Known holes of packages and jars are another thing: `make audit`.

    Exit code 0 when every record is accounted for; 1 when something is not, which is named, or when it could
    not be counted.
    """
    from datetime import UTC, datetime

    from headrace.no_pandas import spare_pandas
    from headrace.reconcile.reconciliation import audit

    spare_pandas()
    try:
        settings = load_settings()
        contract = find_contract(settings.streams_path, stream)
        entry = audit(contract, settings, _broker(settings, bootstrap), f"audit {datetime.now(UTC)}")
    except HeadraceError as wrong:
        raise _ended(wrong, 1) from wrong
    if as_json:
        typer.echo(entry.model_dump_json(indent=2))
    else:
        for line in entry.lines():
            print_text(out, line)


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
        from headrace.migrate.migration import migrate
        from headrace.tables.warehouse import Warehouse

        migrate(Warehouse.of(load_settings(), stream), lambda line: print_text(out, line), remove_old)
    except HeadraceError as wrong:
        raise _ended(wrong, 1) from wrong


@app.command(name="restore")
def restore_(
    stream: Annotated[str, typer.Argument(help="a stream's id")],
    to: Annotated[
        str | None,
        typer.Option(
            help="a batch's number, or a time with its zone (2026-11-26T12:00:00Z) by which it was closed; "
            "without it the newest batch that all tables have"
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="also where the topic no longer has what is undone")
    ] = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Bring a stream's tables to one moment, after one was restored, or copied back, without the others.

    It shows what it would do, and asks. What it undoes the next run lands again, from the topic. Killed, it
    is run again. Exit code 0 when the tables are of one moment, 1 when they are not.
    """
    from headrace.restore.plan import Plan
    from headrace.restore.restoring import require_landable, restore
    from headrace.tables.warehouse import Warehouse

    def agree(plan: Plan) -> None:
        for line in plan.lines():
            print_text(out, line)
        if plan.undone and not accept_loss:
            require_landable(plan, topic, broker)
        if not (yes or typer.confirm("Do that?")):
            raise typer.Exit(1)

    try:
        settings = load_settings()
        topic = find_contract(settings.streams_path, stream).topic.name
        broker, moment = _broker(settings, bootstrap), _moment(to)
        done = restore(Warehouse.of(settings, stream), agree, moment)
    except HeadraceError as wrong:
        raise _ended(wrong, 1) from wrong
    if done:
        print_text(
            out, "done; next: run the stream, which lands what was undone and computes gold tables anew"
        )
    else:
        print_text(out, f"stream {stream}: all tables are of that moment: nothing to restore")


def _moment(to: str | None) -> int | datetime | None:
    if to is None or to.isdecimal():
        return None if to is None else int(to)
    try:
        moment = datetime.fromisoformat(to)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingsError(f"--to {to!r}: is no batch's number and no time with a zone; see --help")
    return moment


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
    from headrace.no_pandas import spare_pandas
    from headrace.sample.try_sample import try_sample

    spare_pandas()
    try:
        trial = try_sample(contract, sample, rows)
    except HeadraceError as wrong:
        raise _ended(wrong, 2) from wrong
    if as_json:
        typer.echo(trial.model_dump_json(indent=2))
    else:
        _print_trial(trial)
    raise typer.Exit(1 if trial.refused else 0)


@app.command()
def new(  # noqa: PLR0917  # typer passes them by name
    sample: Annotated[
        str,
        typer.Argument(
            help="a CSV, JSON Lines or Parquet file, a folder, a pattern, or the name of a topic with JSON"
        ),
    ],
    stream: Annotated[
        str | None, typer.Option(help="the stream's id; without it from the sample's name")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="the contract's file; without it <stream>.yaml in HEADRACE_STREAMS")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="the zone of its local times")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="take the best guess instead of asking")] = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Draft a contract from a sample, in which every guess says what it saw; try it on the sample.

    Asks at a terminal about what it is not sure of. Exit code 0 when all is sure (or --yes) and every record
    becomes a reading, 1 when a contract is written and something left to look at, 2 when none is written.
    """
    from headrace.draft.command import Asked, new_contract
    from headrace.no_pandas import spare_pandas

    spare_pandas()
    try:
        settings = load_settings()
        asked = Asked(sample, stream, output, timezone, yes)
        done = new_contract(asked, settings, lambda: _broker(settings, bootstrap), out)
    except HeadraceError as wrong:
        raise _ended(wrong, 2) from wrong
    raise typer.Exit(0 if done else 1)


contract_app = typer.Typer(
    no_args_is_help=True, help="Contracts to and from ODCS 3, and what it does not say."
)
app.add_typer(contract_app, name="contract")


@contract_app.command(name="export")
def export(
    contract: Annotated[str, typer.Argument(help="a stream, or a contract's file")],
) -> None:
    """Print a contract as a document of the Open Data Contract Standard 3.1.

    What the standard cannot say is kept in customProperties, so that it imports as it was.
    """
    from headrace.odcs.command import export_contract

    try:
        typer.echo(export_contract(contract, load_settings()), nl=False)
    except HeadraceError as wrong:
        raise _ended(wrong, 2) from wrong


@contract_app.command(name="import")
def import_(
    document: Annotated[Path, typer.Argument(help="a document of ODCS 3.0 to 3.2")],
    output: Annotated[
        Path | None, typer.Option(help="the contract's file; without it <id>.yaml in HEADRACE_STREAMS")
    ] = None,
) -> None:
    """Write the contract that a document of the Open Data Contract Standard describes; say what it lacks.

    Exit code 0 when it says all, 1 when something is missing and stands in the contract as MISSING, 2 when
    none is written.
    """
    from headrace.odcs.command import import_contract

    try:
        file, missing = import_contract(document, output, load_settings())
    except HeadraceError as wrong:
        raise _ended(wrong, 2) from wrong
    print_text(out, f"written: {file}")
    for line in missing:
        print_text(out, f"missing: {line}")
    raise typer.Exit(1 if missing else 0)


def _print_trial(trial: "Trial") -> None:
    refused = ", ".join(f"{count:,} {code}" for code, count in trial.refused.items()) or "none"
    print_text(out, f"{trial.records:,} records: {trial.readings:,} readings; refused: {refused}")
    for warning in trial.warnings:
        print_text(out, warning)
    print_rows(out, "first readings", trial.first_readings)
    print_rows(out, "first refused", trial.first_refused)
