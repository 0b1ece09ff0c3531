"""The report's pictures of readings that are extreme, or of which nothing is left to draw."""

from datetime import UTC, datetime

import polars as pl
import pytest

from headrace.contract.analysis import Indicator
from headrace.report import pictures

INDICATOR = Indicator(name="band", signal="p", bands={"Low": 10, "High": None})
HOUR = datetime(2018, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "values", [[1e308, -1e308, 3.0], [float("inf"), None, float("nan")], [None, None, None]]
)
def test_a_picture_is_drawn_of_what_can_be_drawn(values: list[float | None]) -> None:
    column = pl.Series(values, dtype=pl.Float64)
    frame = pl.DataFrame({"x": column, "y": column, "reference": column})
    hours = pl.DataFrame({"signal_hour": [HOUR] * 3, "p": column})
    for figure in (
        pictures.curve(frame, "x", "y", "reference"),
        pictures.rose(frame, "x", "y"),
        pictures.hours(hours, "p", "p", INDICATOR),
    ):
        assert pictures.png(figure).startswith(b"\x89PNG")


def test_a_direction_may_be_given_by_more_than_a_turn() -> None:
    frame = pl.DataFrame({"direction": [90.0, 450.0, -270.0], "speed": [1.0, 1.0, 1.0]})
    (axes,) = pictures.rose(frame, "direction", "speed").axes
    heights = [bar.get_height() for bar in axes.containers[0]]  # type: ignore[attr-defined]
    assert heights == [0, 0, 0, 0, 100, *[0] * 11]
