"""`make bench`: the benchmarks, one per command."""

import json
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from bench.ageing import land_many
from bench.curve import draw
from headrace.errors import HeadraceError

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)


@app.callback()
def bench() -> None:
    """Benchmarks of Headrace; each prints ratios of one run."""


@app.command()
def ageing(
    batches: Annotated[int, typer.Option(help="How many micro-batches.")] = 1_000,
    records: Annotated[int, typer.Option(help="Records of each.")] = 1_000,
    picture: Annotated[Path | None, typer.Option(help="A PNG to draw the curve into.")] = None,
    results: Annotated[
        Path | None, typer.Option(help="Where the seconds of each batch are kept, as JSON.")
    ] = None,
) -> None:
    """Land a thousand micro-batches on one stream: do the last ones take longer than the first?

    A machine's speed is not the same for an hour, so a tenth as many land on a new stream right after.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was started, as Ctrl-C does
    folder = Path(tempfile.mkdtemp(prefix="headrace-ageing-"))
    try:
        measured = land_many(folder / "aged", batches, records, console)
        console.print(f"a new stream, for the machine's speed of now: {measured.share} batches")
        young = land_many(folder / "young", measured.share, records, console)
    except HeadraceError as failed:
        console.print(f"[red]{escape(str(failed))}[/]\nWhat it left is in {folder}")
        raise typer.Exit(1) from failed
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        console.print("Interrupted: nothing was measured, and nothing is left.")
        raise typer.Exit(130) from None
    if results:
        results.write_text(json.dumps(measured.seconds))
    if picture:
        draw(measured.seconds, picture)
    console.print(
        f"{len(measured.seconds) + 1} batches: median of the first {measured.share} {measured.first:.2f} s, "
        f"of the last {measured.share} {measured.last:.2f} s, ratio {measured.ratio:.2f}"
    )
    console.print(
        f"a new stream right after: median {young.whole:.2f} s, so that the last {measured.share} took "
        f"{measured.last / young.whole:.2f} times as long as those of an empty stream at the same time"
    )
    shutil.rmtree(folder)


if __name__ == "__main__":
    app()
