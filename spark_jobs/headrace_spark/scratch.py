"""A folder for one query of a driver; a killed driver's is removed by a later one."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.settings import load_settings

LEFT_SECONDS = 24 * 3600
"""Age at which a folder is one that a killed driver has left."""


@contextmanager
def scratch(stream: str, try_id: str) -> Iterator[Path]:
    """The folder, as long as the query runs."""
    folder = load_settings().home_path / "scratch" / stream / try_id
    try:
        folder.mkdir(parents=True)
        _sweep(folder.parent)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def url(folder: Path) -> str:
    """What Spark calls the folder."""
    return f"file://{folder}"  # not as_uri: Hadoop would take `a%20b` for the folder's name


def _sweep(scratches: Path) -> None:
    """Remove what killed drivers left behind; a rival's own is young."""
    for folder in scratches.iterdir():
        if folder.stat().st_mtime < time.time() - LEFT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
