"""Commands for contracts: held against the rules, their schema, to and from another standard."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.console import AsJson, ended, err, out
from headrace.contract.loader import contract_files, load_contract
from headrace.errors import ContractError, HeadraceError, SettingsError
from headrace.report.terminal import print_text
from headrace.settings import load_settings
from headrace.tables.gold_columns import column_comments

if TYPE_CHECKING:
    from headrace.contract.model import Contract


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
        raise ended(wrong, 1) from wrong
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
        raise ended(wrong, 2) from wrong


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
        raise ended(wrong, 2) from wrong
    print_text(out, f"written: {file}")
    for line in missing:
        print_text(out, f"missing: {line}")
    raise typer.Exit(1 if missing else 0)
