"""Commits on a local disk, where a power cut does not reach them: delta-rs leaves that to the system."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from headrace.files import sync
from headrace.tables.commits import log_file, newest_version


def sync_commits(path: Path, after: int) -> None:
    """Have the commits after that version on the disk, the files that they brought first."""
    commits = [log_file(path, version) for version in range(after + 1, newest_version(path) + 1)]
    sync(*(path / name for commit in commits for name in _added(commit)), path)
    sync(*commits, path / "_delta_log")


def _added(commit: Path) -> Iterator[str]:
    for line in commit.read_text(encoding="utf-8").splitlines():
        if add := json.loads(line).get("add"):
            yield unquote(add["path"])
