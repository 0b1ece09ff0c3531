"""`make chaos`: trials with one fault each, and the table of what they found."""

import random
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chaos import table
from chaos.faults import Fault
from chaos.registry import ALL, chosen
from chaos.trial import Result, run_trial
from chaos.world import new_bench
from headrace.settings import load_settings

app = typer.Typer(add_completion=False)
console = Console(highlight=False, soft_wrap=True)


@app.command()
def main(
    trials: Annotated[int | None, typer.Option(help="How many; one of each fault if not given.")] = None,
    seed: Annotated[int | None, typer.Option(help="What all that is random is drawn from.")] = None,
    fault: Annotated[str, typer.Option(help="Beginnings of faults' names, joined by +, or `all`.")] = "all",
    results: Annotated[Path | None, typer.Option(help="The file that trials are added to.")] = None,
) -> None:
    """Run trials; exit code 1 if a row was lost or doubled, or a trial did not recover."""
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    file = results or load_settings().home_path / "chaos.jsonl"
    faults = _to_be_had(chosen(fault))
    order = _order(faults, trials or len(faults), seed)
    console.print(f"{len(order)} trials, SEED={seed}, results in {file}")
    folder = Path(tempfile.mkdtemp(prefix="headrace-chaos-"))
    bad = 0
    with new_bench(folder) as shared:
        for number, each in enumerate(order):
            result = run_trial(each, seed, number, shared)
            table.keep(file, result)
            bad += not result.good
            _tell(number, len(order), result)
    _show(file)
    if not bad:
        shutil.rmtree(folder)
        return
    console.print(f"[red]{bad} trials failed; what they left is in {folder}")
    raise typer.Exit(1)


def _to_be_had(faults: list[Fault]) -> list[Fault]:
    """Those that this machine can have; the others are named."""
    for fault in faults:
        if lacking := fault.lacking():
            console.print(f"[yellow]left out: {fault.name}: {lacking}")
    return [fault for fault in faults if not fault.lacking()]


def _order(faults: list[Fault], trials: int, seed: int) -> list[Fault]:
    """Every fault equally often, in an order drawn from the seed."""
    rng = random.Random(seed)
    order: list[Fault] = []
    while len(order) < trials:
        order += rng.sample(faults, len(faults))
    return order[:trials]


def _tell(number: int, trials: int, result: Result) -> None:
    verdict = "[green]good[/]" if result.good else "[red]BAD[/]"
    recovered = "not" if result.seconds is None else f"in {result.seconds:.1f} s"
    console.print(
        f"{number + 1:3}/{trials} {verdict} {result.fault}: {result.rows} rows, recovered {recovered}, "
        f"lost {result.lost}, doubled {result.doubled}; {result.whole:.1f} s"
    )
    if not result.good:
        for line in (*result.notes, *result.problems):
            console.print(f"        {line}", markup=False)


def _show(file: Path) -> None:
    shown = Table(*table.HEAD)
    for row in table.rows(table.read(file), [fault.name for fault in ALL]):
        shown.add_row(*row.cells)
    console.print(shown)


if __name__ == "__main__":
    app()
