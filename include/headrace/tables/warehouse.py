"""The warehouse of one stream: where its tables are, their layout version, the lock of its one writer."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from headrace.errors import StreamLocked, WarehouseError, WarehouseUnavailable
from headrace.files import sync, write_whole
from headrace.settings import Settings

LAYOUT = 2
"""Version of the tables' layout: 2 since delta-rs writes all of them. Another one on disk is refused."""

MIGRATING = "1 to 2"
"""What stands in the place of the version while tables are exchanged: no version of Headrace writes then."""

OLDER = (1, MIGRATING)
"""What `headrace migrate` brings to LAYOUT."""


@dataclass(frozen=True)
class Warehouse:
    """The folder of one stream's tables."""

    root: Path
    stream: str

    @classmethod
    def of(cls, settings: Settings, stream: str) -> "Warehouse":
        """The stream's warehouse where the settings put it."""
        return cls(settings.warehouse_path, stream)

    @property
    def folder(self) -> Path:
        """The stream's own folder."""
        return self.root / self.stream

    def table(self, name: str) -> Path:
        """Where the table of that name is, or will be."""
        return self.folder / name

    def exists(self, name: str) -> bool:
        """Whether the table has at least one commit.

        Raises:
            WarehouseError: a file is in the way, which does not mean that the table is not there.
            WarehouseUnavailable: it cannot be read just now.
        """
        try:
            with os.scandir(self.table(name) / "_delta_log") as log:
                return any(entry.name.endswith(".json") for entry in log)
        except FileNotFoundError:
            return False
        except NotADirectoryError as blocked:
            raise self._in_the_way(self.table(name)) from blocked
        except OSError as failed:
            raise WarehouseUnavailable(
                f"{self.table(name)}: cannot be read: {failed.strerror}; permit reading"
            ) from failed

    @property
    def slices(self) -> Path:
        """Where the runs' slices are kept."""
        return self.folder / "_slices"

    @property
    def reports(self) -> Path:
        """Where the runs' reports are."""
        return self.folder / "_reports"

    def report(self, run_id: str) -> Path:
        """Where the report of that run is, or will be; a run id is free text and no part of a path."""
        return self.reports / f"{hashlib.sha256(run_id.encode()).hexdigest()[:32]}.html"

    def prepare(self) -> None:
        """Make the folder and note the layout in it; harmless when repeated.

        Raises:
            WarehouseError: something else is in the way, or the layout is not this version's.
            WarehouseUnavailable: it cannot be written just now.
        """
        with self._disk_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self._marker.exists():
                self.note_layout(LAYOUT)
        found = self.layout()
        if found in OLDER:
            raise WarehouseError(
                f"{self._marker}: the tables have layout {found}, this version writes layout {LAYOUT}; run "
                f"`headrace migrate {self.stream}`, which keeps every row"
            )
        if found != LAYOUT:
            raise WarehouseError(
                f"{self._marker}: the tables have layout {found}, this version knows {LAYOUT}; "
                "use the version that wrote them"
            )

    def layout(self) -> object:
        """The layout that is noted in the folder; None where nothing is.

        Raises:
            WarehouseError: something else is in the way, or the note is broken.
            WarehouseUnavailable: it cannot be read just now.
        """
        try:
            with self._disk_errors():
                return json.loads(self._marker.read_text())["layout"] if self._marker.exists() else None
        except (ValueError, KeyError, TypeError) as broken:
            raise WarehouseError(
                f"{self._marker}: is broken; it must hold {{'layout': {LAYOUT}}}"
            ) from broken

    def note_layout(self, layout: int | str) -> None:
        """Note which layout the tables have, whole and on the disk on return."""
        write_whole(self._marker, json.dumps({"layout": layout}))
        sync(self.folder)

    @property
    def _marker(self) -> Path:
        return self.folder / "_layout.json"

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except (FileExistsError, NotADirectoryError) as blocked:
            raise self._in_the_way(self.folder) from blocked
        except OSError as failed:
            raise WarehouseUnavailable(
                f"{self.folder}: cannot be written: {failed.strerror}; free space or permit writing"
            ) from failed

    @staticmethod
    def _in_the_way(path: Path) -> WarehouseError:
        return WarehouseError(
            f"{path}: a file is in the way of the warehouse; move it, or set HEADRACE_WAREHOUSE"
        )

    @contextmanager
    def writing(self, seconds: float = 0.0) -> Iterator[None]:
        """Be the stream's one writer; the operating system frees the lock when the process ends.

        Raises:
            StreamLocked: another process has held it for `seconds`.
            WarehouseError, WarehouseUnavailable: as `prepare`.
        """
        self.prepare()
        with self.locked(seconds):
            yield

    @contextmanager
    def locked(self, seconds: float = 0.0) -> Iterator[None]:
        """The same in a folder that is there, whatever layout its tables have.

        Raises:
            StreamLocked: another process has held it for `seconds`.
        """
        lock = FileLock(self.folder / "_writer.lock", timeout=seconds, mode=0o600)
        holder = self.folder / "_writer.json"
        try:
            lock.acquire()
        except Timeout as held:
            other = holder.read_text() if holder.exists() else "unknown"
            raise StreamLocked(
                f"stream {self.stream}: another process writes to its tables ({other}); wait until it ends"
            ) from held
        try:
            write_whole(holder, json.dumps({"pid": os.getpid()}))
            yield
        finally:
            lock.release()
