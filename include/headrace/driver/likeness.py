"""What makes a driver that was started earlier the same as one that would be started now."""

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from headrace.crash_points import ASKED
from headrace.settings import PROJECT

OTHERS = ("AIRFLOW", "SUPERVISOR_")
"""Beginnings of names that no driver gets: Airflow's own secrets (database, JWT, connections) are none of its
business, and the process manager tells each program its own name."""

NOISE = frozenset({"_", "OLDPWD", "PWD", "SHLVL", "_RJEM_MALLOC_CONF", *ASKED})
"""What a shell notes for itself, and polars for its allocator when a task imports it; and what a test asks of
one job, which is handed over with it."""

CODE = ("include/headrace", "spark_jobs")


def driver_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What of a process's environment its drivers get."""
    return {name: value for name, value in given.items() if not name.lstrip("_").startswith(OTHERS)}


class Likeness(BaseModel):
    """Two drivers that are equal in this would do the same with the same job.

    `arguments`: spark-submit's, without the script and the name to show; `environment`: a digest of each
    variable; `code`: one of the project's files, of the packages' versions and of Spark's configuration.
    """

    model_config = ConfigDict(frozen=True)

    arguments: tuple[str, ...]
    environment: dict[str, str]
    code: str

    @classmethod
    def now(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> "Likeness":
        """That of a driver which would be started with these now."""
        told = {name: value for name, value in environment.items() if name not in NOISE}
        return cls(
            arguments=tuple(arguments),
            environment={name: _digest([value]) for name, value in told.items()},
            code=code_now(environment.get("SPARK_CONF_DIR")),
        )

    def differences(self, other: "Likeness") -> list[str]:
        """What they differ in, for a person; values of variables are not told."""
        mine, theirs = self.environment, other.environment
        names = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
        found = [f"environment ({', '.join(names)})"] if names else []
        if self.arguments != other.arguments:
            found.append(f"arguments ({' '.join(self.arguments)} is not {' '.join(other.arguments)})")
        if self.code != other.code:
            found.append("code or configuration")
        return found


def code_now(configuration: str | None) -> str:
    """A digest of all that a driver runs and reads at its start, as it stands on the disk now."""
    folders = [*(PROJECT / name for name in CODE), *([Path(configuration)] if configuration else [])]
    packages = sorted(each.name for each in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))
    return _digest([sys.executable, sys.version, *packages, *_files(folders)])


def _files(folders: Iterable[Path]) -> Iterator[str]:
    """Each file with what changes when it is written: as git and editors do it, so that none need be read."""
    for folder in folders:
        for path, inner, names in os.walk(folder):
            inner[:] = sorted(name for name in inner if name != "__pycache__")
            for name in sorted(names):
                file = os.path.join(path, name)  # noqa: PTH118  # some hundred, in every task
                try:
                    found = os.stat(file)  # noqa: PTH116  # as above
                except FileNotFoundError:
                    continue
                yield f"{file} {found.st_size} {found.st_mtime_ns}"


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
