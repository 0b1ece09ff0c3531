"""What an Airflow task hands to the Spark driver that it starts: one JSON text in the driver's environment.

The environment and not the command line, because every user of the machine can read a process list.
"""

import os
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from headrace.errors import SettingsError
from headrace.slices import Slice

VARIABLE = "HEADRACE_JOB"


class Guardian(BaseModel):
    """A process whose end must end the driver; the start time tells it from a later one with its id."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Guardian":
        """The process that has this id now.

        Raises:
            psutil.NoSuchProcess: none has it.
        """
        return cls(pid=pid, started=psutil.Process(pid).create_time())


class Job(BaseModel):
    """One run of one Spark stage."""

    model_config = ConfigDict(frozen=True)

    contract: Path
    run_id: str
    warehouse: Path
    kafka: dict[str, Any] = {}
    slice: Slice | None = None
    accept_loss: bool = False
    guardians: tuple[Guardian, ...] = ()

    def environment(self) -> dict[str, str]:
        """The variables that hand the job over."""
        return {VARIABLE: self.model_dump_json()}


def read_job() -> Job:
    """The job that this process was started for.

    Raises:
        SettingsError: there is none, or it is broken.
    """
    given = os.environ.get(VARIABLE)
    if given is None:
        raise SettingsError(f"{VARIABLE} is not set: Spark stages are started by their Airflow tasks")
    try:
        return Job.model_validate_json(given)
    except ValidationError as broken:
        # Without the text itself: it bears the connection's secrets.
        fields = ", ".join(".".join(map(str, error["loc"])) for error in broken.errors())
        raise SettingsError(f"{VARIABLE} is broken in: {fields}") from None
