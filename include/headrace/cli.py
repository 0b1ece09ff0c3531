"""`headrace`: the command for a person's hands."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from headrace.contract_file import contract_files, load_contract
from headrace.errors import ContractError, HeadraceError
from headrace.settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def headrace() -> None:
    """Kafka to Delta in gated micro-batches, every record accounted for."""


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="contracts; without any, all of the project")
    ] = None,
) -> None:
    """Check contracts; name file, line, field and the way out of each fault. Exit code 1 if there is one."""
    # markup and highlighting off: a contract's text is data, and [x] in it is no style.
    out, err = (
        Console(stderr=stderr, markup=False, highlight=False, soft_wrap=True) for stderr in (False, True)
    )
    broken = 0
    try:
        chosen = files or contract_files(load_settings().streams_path)
    except HeadraceError as wrong:
        err.print(str(wrong))
        raise typer.Exit(1) from wrong
    if not chosen:
        err.print(f"no contract in {load_settings().streams_path}; write <stream>.yaml there, or name a file")
        raise typer.Exit(1)
    for file in chosen:
        try:
            contract = load_contract(file)
        except ContractError as wrong:
            broken += 1
            err.print(str(wrong))
        else:
            out.print(f"{file}: stream {contract.stream}, topic {contract.topic.name}: good")
    if broken:
        err.print(f"{broken} of {len(chosen)} contracts are wrong")
        raise typer.Exit(1)
