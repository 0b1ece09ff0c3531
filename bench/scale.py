"""The same landing at several sizes, from a small file to twenty million records: where does it bend?"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.contest import Course, Standing, contest, table
from bench.landing import ALL, OWN
from bench.stream import broker, full_stream

SIZES = (50_000, 500_000, 5_000_000, 20_000_000)
PEERS_TO = 5_000_000
"""The size up to which the others land too: what they keep in memory is not bounded."""


def land_at_sizes(folder: Path, sizes: Sequence[int], batch: int, console: Console) -> list[list[Standing]]:
    """One run of each at each size, the smallest first."""
    standings = []
    for records in sizes:
        here = folder / f"{records}"
        with broker(here) as config:
            console.print(f"filling a topic with {records:,} records")
            stream = full_stream(here, config, records, batch)
            contenders = ALL if records <= PEERS_TO else OWN
            found = contest(Course(stream, records, here / "warehouse"), contenders, 1, console)
        console.print(table(found, ()))
        standings.append(found)
        shutil.rmtree(here)
    return standings
