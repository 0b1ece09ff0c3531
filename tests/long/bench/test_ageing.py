"""The benchmark of ageing in small: it publishes, lands with the shipped driver, and measures every batch."""

from pathlib import Path

from rich.console import Console

from bench.ageing import land_many
from bench.curve import draw
from headrace.tables.batches import read_batches
from headrace.tables.warehouse import Warehouse


def test_a_few_batches_are_measured_and_drawn(tmp_path: Path) -> None:
    measured = land_many(tmp_path, 3, 400, Console(quiet=True))
    landed = read_batches(Warehouse(tmp_path / "warehouse", "ageing"))
    assert sum(batch.records for batch in landed) == 1200
    assert sum(batch.quarantined for batch in landed) == 1  # row 1,000
    assert len(measured.seconds) == len(landed) - 1
    draw(measured.seconds, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
