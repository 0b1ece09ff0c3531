"""Commands for a stream: where it stands, its topic's plan, its account, its tables."""

from datetime import datetime
from typing import Annotated

import typer

from headrace.cli.console import AsJson, Bootstrap, broker_of, ended, out
from headrace.contract.loader import find_contract
from headrace.errors import HeadraceError, SettingsError
from headrace.report.terminal import print_text
from headrace.settings import load_settings


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
        now = overview(
            find_contract(settings.streams_path, stream), warehouse, broker_of(settings, bootstrap)
        )
    except HeadraceError as wrong:
        raise ended(wrong, 1) from wrong
    if as_json:
        typer.echo(now.model_dump_json(indent=2))
    else:
        print_overview(out, now)


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
        made = make_plan(contract, Warehouse.of(settings, stream), broker_of(settings, bootstrap))
    except HeadraceError as wrong:
        raise ended(wrong, 1) from wrong
    for line in made.lines():
        print_text(out, line)
    raise typer.Exit(1 if made.refused else 0 if made.is_empty else 2)


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
        entry = audit(contract, settings, broker_of(settings, bootstrap), f"audit {datetime.now(UTC)}")
    except HeadraceError as wrong:
        raise ended(wrong, 1) from wrong
    if as_json:
        typer.echo(entry.model_dump_json(indent=2))
    else:
        for line in entry.lines():
            print_text(out, line)


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
        raise ended(wrong, 1) from wrong


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
        broker, moment = broker_of(settings, bootstrap), _moment(to)
        done = restore(Warehouse.of(settings, stream), agree, moment)
    except HeadraceError as wrong:
        raise ended(wrong, 1) from wrong
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
