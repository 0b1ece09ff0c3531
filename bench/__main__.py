"""`make bench`: the benchmarks, one per command."""

import json
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from bench.ageing import land_many
from bench.analysis import analyse_all, change_a_day
from bench.curve import draw
from bench.growth import land_on_both
from bench.landing import ALL, land_all
from bench.machine import described
from bench.page import write_page
from bench.small import T1_RECORDS, land_a_year, land_micro_batches
from headrace.errors import HeadraceError

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)

Results = Annotated[Path | None, typer.Option(help="Where what was measured is kept, as JSON.")]
Runs = Annotated[int, typer.Option(help="How often each is measured, in turns.")]


@app.callback()
def bench() -> None:
    """Benchmarks of Headrace; each prints ratios of one run."""


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """A folder for what is measured: removed at the end, kept after an error."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was started, as Ctrl-C does
    folder = Path(tempfile.mkdtemp(prefix=f"headrace-{name}-"))
    try:
        yield folder
    except HeadraceError as failed:
        console.print(f"[red]{escape(str(failed))}[/]\nWhat it left is in {folder}")
        raise typer.Exit(1) from failed
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        console.print("Interrupted: nothing was measured, and nothing is left.")
        raise typer.Exit(130) from None
    shutil.rmtree(folder)


@app.command()
def ageing(
    batches: Annotated[int, typer.Option(help="How many micro-batches.")] = 1_000,
    records: Annotated[int, typer.Option(help="Records of each.")] = 1_000,
    picture: Annotated[Path | None, typer.Option(help="A PNG to draw the curve into.")] = None,
    results: Results = None,
) -> None:
    """Land a thousand micro-batches on one stream: do the last ones take longer than the first?

    A machine's speed is not the same for an hour, so a tenth as many land on a new stream right after.
    """
    with _folder("ageing") as folder:
        measured = land_many(folder / "aged", batches, records, console)
        console.print(f"a new stream, for the machine's speed of now: {measured.share} batches")
        young = land_many(folder / "young", measured.share, records, console)
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


@app.command()
def landing(
    records: Annotated[int, typer.Option(help="Records of the topic.")] = 2_000_000,
    batch: Annotated[int, typer.Option(help="Records of a micro-batch.")] = 250_000,
    runs: Runs = 3,
    only: Annotated[
        list[str] | None, typer.Option(help="Just this contender, by its name; may be repeated.")
    ] = None,
    results: Results = None,
) -> None:
    """Land one topic by Spark and by the worker, beside Spark's raw ceiling and a plain Python script."""
    with _folder("landing") as folder:
        contenders = [each for each in ALL if not only or each.name in only]
        standings = land_all(folder, records, batch, runs, console, contenders=contenders)
    _keep(results, standings=[each.as_record() for each in standings])


@app.command()
def small(
    batches: Annotated[int, typer.Option(help="How many micro-batches of a thousand records.")] = 100,
    runs: Runs = 3,
    results: Results = None,
) -> None:
    """Land as much as T1.csv, beside the script as people write it; then micro-batches with both engines."""
    with _folder("small") as folder:
        standings = land_a_year(folder, T1_RECORDS, runs, console)
        aged = land_micro_batches(folder, batches, console)
    seconds = {engine: each.seconds for engine, each in aged.items()}
    _keep(results, standings=[each.as_record() for each in standings], micro_batches=seconds)


@app.command()
def growth(
    held: Annotated[int, typer.Option(help="Rows that the full table holds.")] = 20_000_000,
    results: Results = None,
) -> None:
    """Land batches on a table that holds millions of rows and on an empty one, in turns."""
    with _folder("growth") as folder:
        found = land_on_both(folder, held, console)
    _keep(results, growth=asdict(found))


@app.command()
def analysis(
    records: Annotated[int, typer.Option(help="Readings of which all days are computed.")] = 2_000_000,
    held: Annotated[int, typer.Option(help="Readings of the table that a day more comes to.")] = 20_000_000,
    runs: Runs = 3,
    results: Results = None,
) -> None:
    """Analyse by Spark and by the worker, beside a script as people write it; then a day on a large table."""
    with _folder("analysis") as folder:
        standings = analyse_all(folder / "all days", records, runs, console)
        change = change_a_day(folder / "a day", held, runs, console)
    _keep(results, standings=[each.as_record() for each in standings], change=asdict(change))


@app.command()
def page() -> None:
    """Write the tables and the picture of docs/performance.md anew, from bench/results."""
    write_page()


def _keep(results: Path | None, **found: Any) -> None:
    if results:
        results.write_text(json.dumps({"measured": described(), **found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
