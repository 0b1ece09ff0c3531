"""docs/performance.md: its tables are made of the files of results, the words around them by people."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.analysis import NAIVE, Change
from bench.bars import draw
from bench.contest import PLAIN_PYTHON, SPARK_NAIVE, SPARK_RAW, Contender, Standing
from bench.growth import Growth
from headrace.settings import PROJECT

RESULTS = Path(__file__).with_name("results")
PAGE = PROJECT / "docs" / "performance.md"
PICTURE = PROJECT / "docs" / "images" / "landing.png"


def write_page() -> None:
    """Replace every block of the page whose results are there, and draw the picture of the landing."""
    text = PAGE.read_text(encoding="utf-8")
    for name, block in _blocks():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        text = f"{before}{mark}{block}\n{end}{after}"
    PAGE.write_text(text, encoding="utf-8")


def _blocks() -> Iterator[tuple[str, str]]:
    if landing := _read("landing"):
        standings = _standings(landing["standings"])
        draw(standings, PICTURE)
        yield "landing", _circumstances(landing) + _table(standings, (SPARK_RAW, PLAIN_PYTHON))
    if memory := _read("memory"):
        yield "memory", _circumstances(memory) + _table(_standings(memory["standings"]), ())
    if small := _read("small"):
        standings = _standings(small["standings"])
        yield "small", _circumstances(small) + _table(standings, (SPARK_NAIVE, PLAIN_PYTHON))
        yield "micro-batches", _micro_batches(small["micro_batches"])
    if growth := _read("growth"):
        yield "growth", _circumstances(growth) + _growth(growth["growth"])
    if analysis := _read("analysis"):
        yield "analysis", _circumstances(analysis) + _table(_standings(analysis["standings"]), (NAIVE,))
        yield "a-day", _change(Change.from_record(analysis["change"]))


def _read(name: str) -> dict[str, Any] | None:
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _standings(records: Sequence[dict[str, Any]]) -> list[Standing]:
    return [Standing.from_record(each) for each in records]


def _circumstances(results: dict[str, Any]) -> str:
    return "".join(f"- {name}: {value}\n" for name, value in results["measured"].items()) + "\n"


def _table(standings: Sequence[Standing], beside: Sequence[Contender]) -> str:
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


def _micro_batches(seconds: dict[str, list[float]]) -> str:
    rows = [[engine, f"{len(each) + 1}", f"{median(each):.2f} s"] for engine, each in seconds.items()]
    return _markdown(["engine", "micro-batches of 1,000", "median"], rows)


def _growth(record: dict[str, Any]) -> str:
    growth = Growth.from_record(record)
    rows = [
        [f"{size:,}", *(f"{each:.2f}" for each in growth.ratios(size))]
        for size in growth.empty
    ]  # fmt: skip
    return _markdown([f"records of a batch, {growth.held:,} rows held", "by the clock", "by CPU"], rows)


def _change(change: Change) -> str:
    rows = []
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


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
