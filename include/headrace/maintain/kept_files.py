"""Copies of sources, pages and logs that are kept for so many days; by default all are kept for ever."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from headrace.publish.publications import Publication, read_publications
from headrace.tables.names import PUBLICATIONS
from headrace.tables.warehouse import Warehouse

DAY = 24 * 3600


def remove_copies(warehouse: Warehouse, spool: Path, days: int) -> list[Path]:
    """Remove the stream's copies of sources that nothing needs any more and that were published before.

    What is needed stays, of whichever stream: what is being published, and the newest of each source with all
    that it goes on behind. `audit` takes the rows of a copy that is gone as `publish` has counted them.
    """
    needed = {copy for stream in _streams(warehouse) for copy in _needed(stream, days)}
    mine = {each.copy_sha256 for each in read_publications(warehouse)} - needed
    return _removed(spool / copy for copy in sorted(mine))


def _streams(warehouse: Warehouse) -> list[Warehouse]:
    return [
        Warehouse(warehouse.root, folder.parent.name) for folder in warehouse.root.glob(f"*/{PUBLICATIONS}")
    ]


def _needed(warehouse: Warehouse, days: int) -> Iterator[str]:
    known = {each.publication: each for each in read_publications(warehouse)}
    newest = {each.source: each for each in known.values() if each.state != "superseded"}
    waiting = [*newest.values(), *(each for each in known.values() if _is_young(each, days))]
    while waiting:
        each = waiting.pop()
        yield each.copy_sha256
        if each.continues in known:
            waiting.append(known[each.continues])


def _is_young(publication: Publication, days: int) -> bool:
    since = publication.finished or publication.started
    return publication.state == "publishing" or since.timestamp() > time.time() - days * DAY


def remove_pages(warehouse: Warehouse, days: int) -> list[Path]:
    """Remove the reports of runs before, but for the newest one.

    By the time of the name, not of the page: a run with nothing new gives the newest page one more name.
    """
    kept = {warehouse.report(run_id).stat().st_ino for run_id in _newest(warehouse)}
    pages = {page: page.stat() for page in warehouse.reports.glob("*.html")}
    old = (page for page, of in pages.items() if of.st_ctime < time.time() - days * DAY)
    return _removed([page for page in old if pages[page].st_ino not in kept])


def _newest(warehouse: Warehouse) -> Iterator[str]:
    with suppress(FileNotFoundError, ValueError, KeyError):
        run_id = json.loads((warehouse.reports / "newest.json").read_text("utf-8"))["run_id"]
        if warehouse.report(run_id).exists():
            yield run_id


def remove_logs(logs: Path, days: int) -> list[Path]:
    """Remove files of that folder that nobody has written to since, and folders that are empty then."""
    old = [
        file
        for file in logs.rglob("*")
        if file.is_file() and not file.is_symlink() and file.stat().st_mtime < time.time() - days * DAY
    ]
    removed = _removed(old)
    folders = {folder for file in removed for folder in file.parents if folder.is_relative_to(logs)}
    for folder in sorted(folders - {logs}, reverse=True):  # the inner ones first
        with suppress(OSError):  # not empty
            folder.rmdir()
    return removed


def _removed(files: Iterable[Path]) -> list[Path]:
    """Those of the files that were there; a rival's removal does no harm."""
    there = []
    for file in files:
        with suppress(FileNotFoundError):
            file.unlink()
            there.append(file)
    return there
