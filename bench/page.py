"""docs/performance.md: its tables are made of the files of results, the words around them by people."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.ageing import Ageing
from bench.analysis import NAIVE, Change
from bench.bars import draw as draw_bars
from bench.contest import PLAIN_PYTHON, SPARK_NAIVE, SPARK_RAW, Named, Standing
from bench.counts import Counting
from bench.curve import draw as draw_curve
from bench.growth import Growth
from bench.lines import draw as draw_lines
from bench.publishing import ALL as PUBLISHERS
from bench.reconciling import Reconciled
from bench.whole_run import Run
from headrace.settings import PROJECT

RESULTS = Path(__file__).with_name("results")
PAGE = PROJECT / "docs" / "performance.md"
IMAGES = PROJECT / "docs" / "images"

Results = dict[str, Any]
"""What a benchmark has kept."""


def write_page() -> None:
    """Replace every block of the page whose results are there, and draw its pictures."""
    text = PAGE.read_text(encoding="utf-8")
    for name, (results, write) in BLOCKS.items():
        if found := _read(results):
            before, mark, rest = text.partition(f"<!-- {name} -->\n")
            assert mark, f"{PAGE} has no block {name}"
            _, end, after = rest.partition("<!-- end -->")
            text = f"{before}{mark}{_circumstances(found)}{write(found)}\n{end}{after}"
    PAGE.write_text(text, encoding="utf-8")


def _read(name: str) -> Results | None:
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _standings(records: Sequence[dict[str, Any]]) -> list[Standing]:
    return [Standing.from_record(each) for each in records]


def _circumstances(results: Results) -> str:
    return "".join(f"- {name}: {value}\n" for name, value in results["measured"].items()) + "\n"


def _table(standings: Sequence[Standing], beside: Sequence[Named]) -> str:
    named = {each.name: each for each in standings}
    heads = [
        "",
        "seconds (least)",
        "records/s",
        "CPU µs a record (least)",
        "memory (its largest process)",
        *(f"of {each.name}" for each in beside),
    ]
    rows = [
        [
            each.name,
            f"{each.seconds:.1f} ({each.least_seconds:.1f})",
            f"{each.rate:,.0f}",
            f"{each.cpu:.1f} ({each.least_cpu:.1f})",
            f"{each.memory >> 20:,} ({each.largest >> 20:,}) MB",
            *(
                "{:.2f} by the clock, **{:.2f}** by CPU".format(*each.of(named[other.name]))
                for other in beside
            ),
        ]
        for each in standings
    ]
    first = standings[0]
    return f"{first.records:,} records, {len(first.runs)} runs each, in turns; medians.\n\n" + _markdown(
        heads, rows
    )


def _micro_batches(results: Results) -> str:
    seconds: dict[str, list[float]] = results["micro_batches"]
    rows = [[engine, f"{len(each) + 1}", f"{median(each):.2f} s"] for engine, each in seconds.items()]
    return _markdown(["engine", "micro-batches of 1,000", "median"], rows)


def _ageing(results: Results) -> str:
    draw_curve(results["seconds"], IMAGES / "ageing.png")
    aged = Ageing(tuple(results["seconds"]))
    rows = [
        [f"the first {aged.share}", f"{aged.first:.2f} s", "1.00"],
        [f"the last {aged.share}", f"{aged.last:.2f} s", f"{aged.ratio:.2f}"],
    ]
    if young := results.get("young"):
        share = Ageing(tuple(young))
        name = f"the {len(young) + 1} of a new stream, right after"
        rows.append([name, f"{share.whole:.2f} s", f"{share.whole / aged.first:.2f}"])
    return _markdown([f"of {len(aged.seconds) + 1:,} micro-batches", "median", "to the first"], rows)


def _scale(results: Results) -> str:
    sizes = [_standings(size) for size in results["sizes"]]
    draw_lines(sizes, IMAGES / "scale.png")
    names = list(dict.fromkeys(each.name for size in sizes for each in size))
    rows = []
    for size in sizes:
        found = {each.name: f"{each.rate:,.0f}; {each.cpu:.1f} µs" for each in size}
        rows.append([f"{size[0].records:,}", *(found.get(name, "") for name in names)])
    return _markdown(["records", *(f"{name}: records/s; CPU a record" for name in names)], rows)


def _runs(results: Results) -> str:
    runs = [Run(**each) for each in results["runs"]]
    rows = [[task, *(f"{run.tasks[task]:.1f} s" for run in runs)] for task in runs[0].tasks]
    rows.append(["all tasks", *(f"{run.task_seconds:.1f} s" for run in runs)])
    rows.append(["the run, from its start to its end", *(f"{run.seconds:.1f} s" for run in runs)])
    return _markdown(["task", *(run.name for run in runs)], rows)


def _growth(results: Results) -> str:
    growth = Growth.from_record(results["growth"])
    rows = [
        [f"{size:,}", *(f"{each:.2f}" for each in growth.ratios(size))]
        for size in growth.empty
    ]  # fmt: skip
    return _markdown([f"records of a batch, {growth.held:,} rows held", "by the clock", "by CPU"], rows)


def _analysis(results: Results) -> str:
    return _table(_standings(results["standings"]), (NAIVE,))


def _change(results: Results) -> str:
    change, rows = Change.from_record(results["change"]), []
    for engine in change.full:
        on_empty, on_full, cpu_on_empty, cpu_on_full = change.medians(engine)
        rows.append(
            [
                engine,
                f"{on_empty:.1f} s, {cpu_on_empty:.1f} s CPU",
                f"{on_full:.1f} s, {cpu_on_full:.1f} s CPU",
                f"{on_full / on_empty:.2f} by the clock, **{cpu_on_full / cpu_on_empty:.2f}** by CPU",
            ]
        )
    return _markdown(["", "on an empty table", f"on {change.held:,} readings", "times as much"], rows)


def _counts(results: Results) -> str:
    counting = Counting(**results["counts"])
    rows = [
        [name, *(f"{each:.3f} s" for each in counting.median(name)), f"{min(each[0] for each in took):.3f} s"]
        for name, took in counting.took.items()
    ]
    heads = [f"{counting.rows:,} rows in {counting.commits:,} commits", "by the clock", "by CPU", "least"]
    return _markdown(heads, rows)


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _landing(results: Results) -> str:
    standings = _standings(results["standings"])
    draw_bars(standings, IMAGES / "landing.png")
    return _table(standings, (SPARK_RAW, PLAIN_PYTHON))


def _wide(results: Results) -> str:
    return _table(_standings(results["standings"]), (SPARK_RAW, PLAIN_PYTHON))


def _memory(results: Results) -> str:
    return _table(_standings(results["standings"]), ())


def _publishing(results: Results) -> str:
    sizes = results["publishing"].items()
    return "\n\n".join(
        f"Records of {size}: {_table(_standings(each), PUBLISHERS[1:])}" for size, each in sizes
    )


def _small(results: Results) -> str:
    return _table(_standings(results["standings"]), (SPARK_NAIVE, PLAIN_PYTHON))


def _reconciled(results: Results) -> str:
    heads = ["account", "records counted", "sealed", "seconds (least)", "CPU (least)", "memory"]
    return _markdown(heads, [Reconciled.from_record(each).cells() for each in results["reconcile"]])


BLOCKS: dict[str, tuple[str, Callable[[Results], str]]] = {
    "run": ("run", _runs),
    "landing": ("landing", _landing),
    "wide": ("wide", _wide),
    "memory": ("memory", _memory),
    "scale": ("scale", _scale),
    "small": ("small", _small),
    "micro-batches": ("small", _micro_batches),
    "ageing": ("ageing", _ageing),
    "growth": ("growth", _growth),
    "publishing": ("publishing", _publishing),
    "reconcile": ("reconcile", _reconciled),
    "counts": ("counts", _counts),
    "analysis": ("analysis", _analysis),
    "a-day": ("analysis", _change),
}
"""Each block of the page: the file of results that it is made of, and what writes it."""
