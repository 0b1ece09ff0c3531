"""What an Airflow task and the Spark driver that it starts tell each other.

The task hands over a `Job`, one JSON text in a file that this user alone can read, whose name is in the
driver's environment: not on its command line, which all users of the machine can read, and not in the
environment itself, where no variable may have more than 128 kB, some 4,000 partitions. A driver that fails
for a reason that it knows ends with one line, its last word, which becomes the task's error. Its exit code
says only whether it failed.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from headrace.contract.loader import WrittenContract
from headrace.errors import HeadraceError, SettingsError
from headrace.files import write_whole
from headrace.land.progress import Progress
from headrace.offsets import Ranges
from headrace.settings import load_settings
from headrace.tables.slices import Slice

JOB_VARIABLE = "HEADRACE_JOB"
"""The job's file: its driver reads it once and removes it."""

LEFT_SECONDS = 24 * 3600
"""Age at which a job's file is one that nobody will read: task and driver were killed before."""

NEWS = "HEADRACE-NEWS "
"""The beginning of a line that says how the job stands; a `News` as JSON follows."""

LAST_WORD = "HEADRACE-ERROR "
"""The beginning of the line that says why a driver fails; a `DriverError` as JSON follows."""


class Guardian(BaseModel):
    """A process whose end must end the driver; the start time tells it from a later one with the same id.

    `started`: seconds after the machine's own start, which a step of its clock leaves as they are.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Guardian":
        """The process that has this id now.

        Raises:
            psutil.NoSuchProcess: none has it.
        """
        return cls(pid=pid, started=_started(psutil.Process(pid)))

    def find(self) -> psutil.Process:
        """That very process, and not a later one with its id.

        Raises:
            psutil.NoSuchProcess: it has ended.
        """
        process = psutil.Process(self.pid)
        if abs(_started(process) - self.started) >= 1 or process.status() == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(self.pid)
        return process

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            self.find()
        except psutil.NoSuchProcess:
            return False
        return True


def _started(process: psutil.Process) -> float:
    # psutil adds the time of the machine's start as the clock has it now: both move with the clock
    return process.create_time() - psutil.boot_time()


class Job(BaseModel):
    """One run of one Spark stage."""

    model_config = ConfigDict(frozen=True)

    contract: WrittenContract
    run_id: str
    warehouse: Path
    kafka: dict[str, Any] = {}
    registry: dict[str, Any] = {}
    slice: Slice | None = None
    accept_loss: bool = False
    skip: Ranges = ()
    publications: tuple[str, ...] = ()
    begin: dict[int, int] | datetime | None = None
    records_per_batch: int | None = None
    guardians: tuple[Guardian, ...] = ()

    def environment(self) -> dict[str, str]:
        """Write the job down for its driver; the variables that tell the driver where."""
        folder = load_settings().home_path / "jobs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(folder)
        file = folder / f"{uuid4().hex}.json"
        write_whole(file, self.model_dump_json(), 0o600)
        return {JOB_VARIABLE: str(file)}

    @contextmanager
    def handed_over(self) -> Iterator[dict[str, str]]:
        """The same for as long as the driver runs: the file is gone afterwards, whoever has read it."""
        variables = self.environment()
        try:
            yield variables
        finally:
            Path(variables[JOB_VARIABLE]).unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    for file in folder.iterdir():
        try:
            if file.stat().st_mtime < time.time() - LEFT_SECONDS:
                file.unlink()
        except FileNotFoundError:  # read by its driver meanwhile
            continue


def read_job() -> Job:
    """The job that this process was started for, once.

    Raises:
        SettingsError: there is none, or it is broken.
    """
    given = os.environ.get(JOB_VARIABLE)
    if given is None:
        raise SettingsError(f"{JOB_VARIABLE} is not set: Spark stages are started by their Airflow tasks")
    try:
        text = Path(given).read_text(encoding="utf-8")
        Path(given).unlink()
    except OSError as absent:
        raise SettingsError(
            f"{JOB_VARIABLE}={given}: cannot be read ({absent.strerror}): a job is read once, by the driver "
            "that its Airflow task has started"
        ) from None
    try:
        return Job.model_validate_json(text)
    except ValidationError as broken:
        # Without the text itself: it holds the connection's secrets.
        fields = ", ".join(".".join(map(str, error["loc"])) for error in broken.errors())
        raise SettingsError(f"{JOB_VARIABLE} is broken in: {fields}") from None


class News(BaseModel):
    """What a driver says while it works: how far it has landed, or where Spark's own web UI is."""

    model_config = ConfigDict(frozen=True)

    progress: Progress | None = None
    spark_ui: str | None = None

    def line(self) -> str:
        """The line that tells it."""
        return f"{NEWS}{self.model_dump_json(exclude_none=True)}"


def read_news(line: str) -> News | None:
    """What a line of a driver's output says of how it stands; None for every other line."""
    if not line.startswith(NEWS):
        return None
    try:
        return News.model_validate_json(line.removeprefix(NEWS))
    except ValidationError:
        return None


class DriverError(BaseModel):
    """What a driver says before it ends with an error that it knows."""

    model_config = ConfigDict(frozen=True)

    code: str
    transient: bool
    message: str

    @classmethod
    def of(cls, error: HeadraceError) -> "DriverError":
        """The error as the driver tells it."""
        return cls(code=error.code, transient=error.transient, message=str(error))

    def last_word(self) -> str:
        """The line that the driver ends with."""
        return f"{LAST_WORD}{self.model_dump_json()}"


def read_last_word(line: str) -> DriverError | None:
    """What a line of a driver's output says of its end; None for every other line."""
    if not line.startswith(LAST_WORD):
        return None
    try:
        return DriverError.model_validate_json(line.removeprefix(LAST_WORD))
    except ValidationError:
        return None
