"""The files of a source that is a folder or a pattern of names, and which of them are at rest."""

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headrace.contract.source import OwnSource
from headrace.errors import SourceError
from headrace.publish.sources.opening import require_permitted
from headrace.settings import PROJECT, Settings


@dataclass(frozen=True)
class Listed:
    """A file as it was when it was listed; `path` as the contract would call it; instants in nanoseconds."""

    path: Path
    size: int
    modified: int

    @property
    def stamp(self) -> str:
        """What is another one when the file was written to."""
        return f"{self.size}:{self.modified}"

    def is_at_rest(self, seconds: float) -> bool:
        """Whether it was written to so long ago, or by a clock that cannot be compared with this one."""
        return not 0 <= time.time_ns() - self.modified < seconds * 1e9


def is_many(source: OwnSource) -> bool:
    """Whether the source's path is that of a folder, or a pattern of names."""
    file = source.file
    return file.is_dir() or (any(each in str(file) for each in "*?[") and not file.exists())


def list_files(settings: Settings, source: OwnSource) -> list[Listed]:
    """The source's files by name, but for hidden ones and whatever is no plain file.

    Raises:
        SourceError: the folder lies in HEADRACE_HOME or outside HEADRACE_SOURCE_ROOTS, or it is no pattern.
    """
    folder, pattern = split_pattern(source.file)
    require_permitted(settings, source.path, folder.resolve())
    try:
        return listed(folder, pattern)
    except ValueError as wrong:  # such as ** within a name
        raise SourceError(f"{source.path}: {wrong}; correct source.path in the contract") from wrong


def split_pattern(file: Path) -> tuple[Path, str]:
    """The folder, and the pattern of names in it: all of them where the path is a folder's."""
    parts = file.parts
    fixed = len(parts) if file.is_dir() else next(at for at, part in enumerate(parts) if set(part) & {*"*?["})
    return Path(*parts[:fixed]), str(Path(*parts[fixed:])) if fixed < len(parts) else "*"


def listed(folder: Path, pattern: str) -> list[Listed]:
    """The plain files of that pattern by name, but for hidden ones; raises ValueError where it is none."""
    return sorted(_listed(folder, pattern), key=lambda each: each.path)


def _listed(folder: Path, pattern: str) -> Iterator[Listed]:
    for file in folder.glob(pattern):
        if any(part.startswith(".") for part in file.relative_to(folder).parts):
            continue
        try:
            found = file.stat()
        except OSError:
            continue  # gone since, or a link that leads nowhere
        if stat.S_ISREG(found.st_mode):
            path = file.relative_to(PROJECT) if file.is_relative_to(PROJECT) else file
            yield Listed(path, found.st_size, found.st_mtime_ns)
