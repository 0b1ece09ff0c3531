"""Commits on a local disk, where a power cut does not reach them: delta-rs leaves that to the system."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.files import sync
from headrace.tables.commits import added_files, log_file, newest_version


def sync_commits(path: Path, after: int) -> None:
    """Have the commits after that version on the disk, the files that they brought first."""
    commits = [log_file(path, version) for version in range(after + 1, newest_version(path) + 1)]
    sync(*(path / name for commit in commits for name, _ in added_files(commit)), path)
    sync(*commits, path / "_delta_log")


@contextmanager
def durable(path: Path) -> Iterator[None]:
    """Have the commits on the disk that are made to the table meanwhile, or that make it."""
    before = newest_version(path) if (path / "_delta_log").exists() else -1
    yield
    sync_commits(path, before)
