"""The report's pictures: pure functions from frames to figures; times are in the contract's zone."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.colors import ListedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from headrace.contract.analysis import Indicator

INK, MUTED, GRID = "#1d2733", "#5b6875", "#e3e8ee"
WATER, ACCENT = "#1f6f9f", "#d1622b"
BANDS = ("#a9bccb", "#4fa3c7", "#1f6f9f", "#d1622b", "#8c3a12", "#5a2408")
COMPLETENESS = ("#eef2f5", "#c8501e", "#e9a168", "#8fbcd6", "#1f6f9f")
MONTHS = 24
"""The newest months are shown, and no more: a picture is as wide as the page."""

LARGEST = 1e100

STYLE: dict[Any, Any] = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "svg.hashsalt": "headrace",
}


def png(figure: Figure) -> bytes:
    """The figure as PNG, sharp on a dense screen."""
    with mpl.rc_context(STYLE), BytesIO() as buffer:
        figure.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
        return buffer.getvalue()


def drawable(column: str) -> pl.Expr:
    """The column without numbers so large that differences of them overflow, over which an axis fails."""
    return pl.when(pl.col(column).abs() <= LARGEST).then(pl.col(column))


def _figure(width: float = 8.6, height: float = 4.2) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def curve(frame: pl.DataFrame, x: str, y: str, reference: str | None) -> Figure:
    """`y` against `x`, one point a row, and the reference as a line."""
    with mpl.rc_context(STYLE):
        figure = _figure()
        axes = figure.subplots()
        frame = frame.with_columns(map(drawable, frame.columns))
        shown = frame.drop_nulls([x, y])
        axes.scatter(shown[x], shown[y], s=2.5, alpha=0.18, color=WATER, linewidths=0, label="readings")
        if reference:
            line = (
                frame.drop_nulls([x, reference])
                .group_by(pl.col(x).round(1))
                .agg(pl.col(reference).median())
                .sort(x)
            )
            axes.plot(line[x], line[reference], color=ACCENT, linewidth=2, label=reference)
        axes.set(xlabel=x, ylabel=y)
        legend = axes.legend(frameon=False, loc="upper left", markerscale=4)
        for handle in filter(None, legend.legend_handles):
            handle.set_alpha(1)
        return figure


def calendar(daily: pl.DataFrame) -> Figure:
    """A square a day: complete, nearly so, half, less, or absent; `daily` as in `daily_completeness`."""
    days = daily.group_by("signal_date").agg(pl.col("expected").sum(), pl.col("missing").sum())
    share = {
        day: (1 - missing / expected if expected else 1.0)
        for day, expected, missing in days.select("signal_date", "expected", "missing").iter_rows()
    }
    months = months_shown(min(share), max(share))
    grid = np.full((len(months), 31), np.nan)
    for row, first in enumerate(months):
        day = first
        while day.month == first.month:
            grid[row, day.day - 1] = _grade(share.get(day))
            day += timedelta(days=1)
    with mpl.rc_context(STYLE):
        figure = _figure(8.6, 0.9 + 0.29 * len(months))
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.pcolormesh(
            grid, cmap=ListedColormap(COMPLETENESS), vmin=-0.5, vmax=4.5, edgecolors="white", linewidth=1.5
        )
        axes.invert_yaxis()
        axes.set_xticks(np.arange(31) + 0.5, [str(day + 1) for day in range(31)], fontsize=7.5)
        axes.set_yticks(np.arange(len(months)) + 0.5, [f"{first:%b %Y}" for first in months], fontsize=8)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        words = ("absent", "under half", "half or more", "over 95 %", "complete")
        handles = [
            Patch(facecolor=colour, label=word) for colour, word in zip(COMPLETENESS, words, strict=True)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=8)
        return figure


def months_shown(first: date, last: date) -> list[date]:
    """The first day of each month from `first` to `last`, the newest ones."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [
        date(first.year + (first.month - 1 + step) // 12, (first.month - 1 + step) % 12 + 1, 1)
        for step in range(count)
    ][-MONTHS:]


def _grade(share: float | None) -> int:
    """The place in `COMPLETENESS` of a day with this share of its expected readings."""
    if not share:
        return 0
    return 1 + sum(share >= bound for bound in (0.5, 0.95, 1.0))


def hours(hourly: pl.DataFrame, column: str, label: str, indicator: Indicator, slot: str = "hour") -> Figure:
    """The average over time, one point per hour in its band's colour, and the mean of each day."""
    with mpl.rc_context(STYLE):
        figure = _figure()
        axes = figure.subplots()
        frame = hourly.with_columns(drawable(column)).drop_nulls()
        frame = frame.group_by("signal_hour").agg(pl.col(column).mean()).sort("signal_hour")
        low = -np.inf
        for place, (name, bound) in enumerate(indicator.bands.items()):
            ceiling = np.inf if bound is None else bound
            inside = frame.filter((pl.col(column) >= low) & (pl.col(column) < ceiling))
            colour = BANDS[min(place, len(BANDS) - 1)]
            axes.scatter(inside["signal_hour"], inside[column], s=4, color=colour, linewidths=0, label=name)
            if bound is not None:
                axes.axhline(bound, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
            low = ceiling
        means = frame.group_by_dynamic("signal_hour", every="1d").agg(pl.col(column).mean())
        if len(means):
            means = means.upsample("signal_hour", every="1d")  # where days are absent the line is broken
        axes.plot(means["signal_hour"], means[column], color=INK, linewidth=0.9, label="mean of the day")
        axes.set(ylabel=f"{label}, mean of {'an' if slot == 'hour' else 'a'} {slot}")
        axes.margins(x=0.01)
        _time_axis(axes)
        figure.legend(loc="outside lower center", frameon=False, ncols=6, markerscale=3)
        return figure


def _time_axis(axes: mpl.axes.Axes) -> None:
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib does not type it
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # as above


def rose(frame: pl.DataFrame, direction: str, speed: str) -> Figure:
    """How often it blows from each of 16 directions, and how strongly."""
    known = frame.with_columns(map(drawable, frame.columns)).drop_nulls([direction, speed])
    sectors, edges = 16, (0, 4, 8, 12, 16, np.inf)
    which = np.rint(known[direction].to_numpy() % 360 / (360 / sectors)).astype(int) % sectors
    with mpl.rc_context({**STYLE, "axes.spines.top": True}):
        figure = _figure(6.8, 5.0)
        axes = figure.add_subplot(projection="polar")
        axes.set_theta_zero_location("N")  # type: ignore[attr-defined]  # polar axes only
        axes.set_theta_direction(-1)  # type: ignore[attr-defined]  # polar axes only: clockwise, as a compass
        angles = np.arange(sectors) * 2 * np.pi / sectors
        below = np.zeros(sectors)
        shades = ("#d6e4ee", "#8fbcd6", "#4a93bf", "#1f6f9f", "#d1622b")
        for low, high, colour in zip(edges, edges[1:], shades, strict=False):
            inside = (known[speed].to_numpy() >= low) & (known[speed].to_numpy() < high)
            share = np.bincount(which[inside], minlength=sectors) / max(1, len(known)) * 100
            label = f"{low} and more" if high == np.inf else f"{low} to {high}"
            axes.bar(angles, share, width=2 * np.pi / sectors * 0.92, bottom=below, color=colour, label=label)
            below += share
        axes.set_xticks(np.arange(8) * np.pi / 4, ["N", "NE", "E", "SE", "S", "SW", "W", "NW"])
        axes.tick_params(pad=6)
        axes.set_rlabel_position(150)  # type: ignore[attr-defined]  # polar axes only
        axes.yaxis.set_major_formatter("{x:.0f} %")
        axes.spines["polar"].set_color(GRID)
        figure.legend(title=speed, loc="upper left", frameon=False, fontsize=8, title_fontsize=8)
        return figure
