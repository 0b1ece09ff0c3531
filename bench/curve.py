"""The picture of a stream's ageing: each batch as a point, and a line through their medians."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from matplotlib.figure import Figure

from headrace.report.pictures import MUTED, WATER, png

WINDOW = 25
"""Batches on either side that the line's medians are of."""


def draw(seconds: Sequence[float], file: Path) -> None:
    """Write the curve as a PNG of 8 by 4 inches."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    numbers = range(1, len(seconds) + 1)
    smooth = [median(seconds[max(0, n - WINDOW - 1) : n + WINDOW]) for n in numbers]
    axes.plot(numbers, seconds, ".", markersize=2, color=MUTED, label="a batch")
    axes.plot(numbers, smooth, linewidth=2, color=WATER, label=f"median of the {2 * WINDOW + 1} around it")
    axes.set(xlabel="batch", ylabel="seconds", ylim=(0, 3 * median(seconds)))
    axes.legend(frameon=False)
    file.write_bytes(png(figure))
