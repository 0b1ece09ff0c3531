"""`make bench` and `make bench-quick`: the benchmarks one after the other, each in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from bench.page import RESULTS, write_page
from headrace.settings import PROJECT


@dataclass(frozen=True)
class Benchmark:
    """A command of `python -m bench` under the name of its results, with the options of its two sizes."""

    name: str
    command: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()


SERIES = (
    Benchmark("run", "run"),
    Benchmark("publishing", "publishing", quick=("--records", "100000", "--runs", "1")),
    Benchmark("landing", "landing", quick=("--records", "100000", "--runs", "1")),
    Benchmark(
        "wide",
        "landing",
        ("--wide", "--records", "500000"),
        (
            "--wide",
            "--records",
            "20000",
            "--runs",
            "1",
            "--only",
            "Headrace, worker",
            "--only",
            "plain Python",
        ),
    ),
    Benchmark("scale", "scale", quick=("--records", "20000", "--records", "50000")),
    Benchmark(
        "memory",
        "landing",
        ("--only", "Headrace, Spark", "--records", "20000000", "--runs", "1"),
        ("--only", "Headrace, Spark", "--records", "300000", "--runs", "1"),
    ),
    Benchmark("small", "small", quick=("--runs", "1", "--batches", "10")),
    Benchmark("ageing", "ageing", quick=("--batches", "30")),
    Benchmark("growth", "growth", quick=("--held", "500000")),
    Benchmark("counts", "counts", quick=("--rows", "100000", "--commits", "100", "--runs", "1")),
    Benchmark("analysis", "analysis", quick=("--records", "100000", "--held", "500000", "--runs", "1")),
    Benchmark("reconcile", "reconcile", quick=("--held", "500000", "--new", "50000", "--runs", "1")),
)


def run_series(only: Sequence[str], console: Console, *, quick: bool) -> int:
    """Run them, or those that are named, to the end, whichever fails; how many failed.

    Full runs leave their results in bench/results and write the page anew; quick ones only print.
    """
    unknown = set(only) - {each.name for each in SERIES}
    if unknown:
        known = ", ".join(each.name for each in SERIES)
        console.print(
            f"[red]there is no benchmark {escape(', '.join(sorted(unknown)))}; there are {known}[/]"
        )
        return 2
    failed = []
    for each in SERIES:
        if only and each.name not in only:
            continue
        began = time.monotonic()
        console.rule(each.name)
        if subprocess.run(_command(each, quick=quick), cwd=PROJECT, check=False).returncode:
            failed.append(each.name)
        console.print(f"{each.name}: {(time.monotonic() - began) / 60:.1f} minutes")
    if not quick:
        write_page()
        console.print("docs/performance.md is written anew; the results are in bench/results")
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}[/]")
    return len(failed)


def _command(benchmark: Benchmark, *, quick: bool) -> list[str]:
    command = [sys.executable, "-m", "bench", benchmark.command]
    if quick:
        return [*command, *benchmark.quick]
    return [*command, *benchmark.full, "--results", str(RESULTS / f"{benchmark.name}.json")]
