"""The picture of the landing: processor time a record, as a bar for each way to land."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from bench.contest import Standing
from headrace.report.pictures import MUTED, WATER, png

OWN = "Headrace"


def draw(standings: Sequence[Standing], file: Path) -> None:
    """Write the bars as a PNG of 8 by 2.6 inches."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.add_subplot()
    shown = sorted(standings, key=lambda each: -each.cpu)
    colours = [WATER if each.name.startswith(OWN) else MUTED for each in shown]
    bars = axes.barh([each.name for each in shown], [each.cpu for each in shown], color=colours)
    axes.bar_label(bars, [f"{each.cpu:.1f} µs, {each.rate:,.0f} records/s" for each in shown], padding=4)
    axes.set(xlabel="µs of processor time a record, all processes but the broker")
    axes.margins(x=0.45)
    file.write_bytes(png(figure))
