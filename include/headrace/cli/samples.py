"""Commands for a sample of records: tried by a contract, or a contract drafted from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.console import AsJson, Bootstrap, broker_of, ended, out
from headrace.errors import HeadraceError
from headrace.report.terminal import print_rows, print_text
from headrace.settings import load_settings

if TYPE_CHECKING:
    from headrace.sample.account import Trial


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
        raise ended(wrong, 2) from wrong
    if as_json:
        typer.echo(trial.model_dump_json(indent=2))
    else:
        _print_trial(trial)
    raise typer.Exit(1 if trial.refused else 0)


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
        done = new_contract(asked, settings, lambda: broker_of(settings, bootstrap), out)
    except HeadraceError as wrong:
        raise ended(wrong, 2) from wrong
    raise typer.Exit(0 if done else 1)


def _print_trial(trial: "Trial") -> None:
    refused = ", ".join(f"{count:,} {code}" for code, count in trial.refused.items()) or "none"
    print_text(out, f"{trial.records:,} records: {trial.readings:,} readings; refused: {refused}")
    for warning in trial.warnings:
        print_text(out, warning)
    print_rows(out, "first readings", trial.first_readings)
    print_rows(out, "first refused", trial.first_refused)
