"""The picture of the sizes: records a second of each way to land, over the number of records."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from bench.bars import OWN
from bench.contest import Standing
from headrace.report.pictures import MUTED, WATER, png


def draw(sizes: Sequence[Sequence[Standing]], file: Path) -> None:
    """Write the lines as a PNG of 8 by 4 inches."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    for name in dict.fromkeys(each.name for size in sizes for each in size):
        line = [each for size in sizes for each in size if each.name == name]
        own = name.startswith(OWN)
        axes.plot(
            [each.records for each in line],
            [each.rate for each in line],
            marker="o",
            color=WATER if own else MUTED,
            linestyle="--" if "Spark" in name else "-",
        )
        axes.annotate(name, (line[-1].records, line[-1].rate), (6, 0), textcoords="offset points")
    axes.set(xscale="log", yscale="log", xlabel="records of one landing", ylabel="records/s, start included")
    axes.margins(x=0.25)
    file.write_bytes(png(figure))
