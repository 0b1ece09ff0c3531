"""`make bench`: the benchmarks, one a command."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.ageing import land_many

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)


@app.callback()
def bench() -> None:
    """Benchmarks of Headrace; each prints ratios of one run."""


@app.command()
def ageing(
    batches: Annotated[int, typer.Option(help="How many micro-batches.")] = 1_000,
    records: Annotated[int, typer.Option(help="Records of each.")] = 1_000,
    results: Annotated[
        Path | None, typer.Option(help="Where the seconds of each batch are kept, as JSON.")
    ] = None,
) -> None:
    """Land a thousand micro-batches on one stream: do the last ones take longer than the first?"""
    folder = Path(tempfile.mkdtemp(prefix="headrace-ageing-"))
    measured = land_many(folder, batches, records, console)
    if results:
        results.write_text(json.dumps(measured.seconds))
    console.print(
        f"{len(measured.seconds) + 1} batches: median of the first {measured.share} {measured.first:.2f} s, "
        f"of the last {measured.share} {measured.last:.2f} s, ratio {measured.ratio:.2f}"
    )
    shutil.rmtree(folder)


if __name__ == "__main__":
    app()
