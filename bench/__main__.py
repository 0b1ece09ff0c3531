"""`make bench`: the benchmarks, one per command."""

import json
import shutil
import signal
import sys
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
from bench.counts import ask_all
from bench.curve import draw
from bench.growth import land_on_both
from bench.landing import ALL, land_all
from bench.machine import described
from bench.page import write_page
from bench.publishing import publish_all
from bench.reconciling import as_records, reconcile_all
from bench.scale import SIZES, land_at_sizes
from bench.series import run_series
from bench.small import T1_RECORDS, land_a_year, land_micro_batches
from bench.stream import WIDE
from bench.whole_run import run_dag
from headrace.errors import HeadraceError

app = typer.Typer(add_completion=False, no_args_is_help=True)
# Where no terminal is, rich takes 80 columns for its width, and cuts tables off there.
console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 250)

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
    _keep(results, seconds=measured.seconds, young=young.seconds)
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
    *,
    records: Annotated[int, typer.Option(help="Records of the topic.")] = 2_000_000,
    batch: Annotated[int, typer.Option(help="Records of a micro-batch.")] = 250_000,
    runs: Runs = 3,
    wide: Annotated[bool, typer.Option("--wide", help="Records of 1.2 KB instead of 175 bytes.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Just this contender, by its name; may be repeated.")
    ] = None,
    results: Results = None,
) -> None:
    """Land one topic by Spark and by the worker, beside Spark's raw ceiling and a plain Python script."""
    with _folder("landing") as folder:
        contenders = [each for each in ALL if not only or each.name in only]
        more = WIDE if wide else 0
        standings = land_all(folder, records, batch, runs, console, contenders=contenders, more=more)
    _keep(results, standings=[each.as_record() for each in standings])


@app.command()
def scale(
    sizes: Annotated[list[int] | None, typer.Option("--records", help="A size; may be repeated.")] = None,
    batch: Annotated[int, typer.Option(help="Records of a micro-batch.")] = 250_000,
    results: Results = None,
) -> None:
    """Land at sizes from 50,000 to 20 M records: the line of records a second."""
    with _folder("scale") as folder:
        found = land_at_sizes(folder, sizes or SIZES, batch, console)
    _keep(results, sizes=[[each.as_record() for each in size] for size in found])


@app.command()
def publishing(
    records: Annotated[int, typer.Option(help="Records of 175 B; of 1.2 KB a quarter of them.")] = 1_000_000,
    runs: Runs = 3,
    results: Results = None,
) -> None:
    """Publish one file beside a plain Python script, a script with polars and Kafka's own perf tool."""
    with _folder("publishing") as folder:
        found = publish_all(folder, records, runs, console)
    _keep(
        results,
        publishing={size: [each.as_record() for each in standings] for size, standings in found.items()},
    )


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
def run(results: Results = None) -> None:
    """Run the whole DAG on a stack of its own: a year, a day more, nothing new."""
    with _folder("run") as folder:
        found = run_dag(folder, console)
    _keep(results, runs=[asdict(each) for each in found])


@app.command("all")
def run_all(
    quick: Annotated[bool, typer.Option("--quick", help="All of them in small: under six minutes.")] = False,
    one: Annotated[
        list[str] | None, typer.Option(help="Just this one, by its name; may be repeated.")
    ] = None,
) -> None:
    """Run every benchmark, then write docs/performance.md anew; --quick prints and writes nothing."""
    raise typer.Exit(run_series(one or [], console, quick=quick))


@app.command()
def reconcile(
    held: Annotated[int, typer.Option(help="Rows that stand sealed.")] = 20_000_000,
    new: Annotated[int, typer.Option(help="Records that are new.")] = 1_000_000,
    runs: Runs = 3,
    results: Results = None,
) -> None:
    """Account for new records on a seal of millions, for nothing new, and for everything."""
    with _folder("reconcile") as folder:
        found = reconcile_all(folder, held, new, runs, console)
    _keep(results, reconcile=as_records(found))


@app.command()
def counts(
    rows: Annotated[int, typer.Option(help="Rows that the tables hold.")] = 5_000_000,
    commits: Annotated[int, typer.Option(help="Commits in which they came.")] = 1_000,
    runs: Runs = 5,
    results: Results = None,
) -> None:
    """Ask a stream of millions of rows and a thousand commits how much it holds; draw its report."""
    with _folder("counts") as folder:
        found = ask_all(folder, rows, commits, console, runs)
    _keep(results, counts=asdict(found))


@app.command()
def page() -> None:
    """Write the tables and the picture of docs/performance.md anew, from bench/results."""
    write_page()


def _keep(results: Path | None, **found: Any) -> None:
    if results:
        results.write_text(json.dumps({"measured": described(), **found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
