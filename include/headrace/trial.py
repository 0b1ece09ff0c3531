"""`headrace try`: a driver that parses a sample, and what it answers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from headrace.errors import SettingsError, told
from headrace.settings import PROJECT, Settings

ANSWER, ERROR = "HEADRACE-TRY ", "HEADRACE-ERROR "


class Trial(BaseModel):
    """What became of a sample's records; `row` counts them from 1."""

    model_config = ConfigDict(frozen=True)

    records: int
    readings: int
    refused: dict[str, int]
    first_readings: tuple[dict[str, Any], ...]
    first_refused: tuple[dict[str, Any], ...]


def try_sample(settings: Settings, contract: Path, sample: Path, rows: int) -> Trial:
    """Parse a sample as landing would.

    Raises:
        ContractError, SourceError: contract or sample cannot be read.
        SettingsError: Spark could not be started.
    """
    binaries = Path(sys.executable).parent
    script = PROJECT / "spark_jobs" / "try_sample.py"
    done = subprocess.run(  # noqa: S603  # an argument list, no shell
        [
            str(binaries / "spark-submit"),
            str(script),
            str(contract.resolve()),
            str(sample.resolve()),
            str(rows),
        ],
        env={
            "SPARK_CONF_DIR": str(settings.home_path / "spark-conf"),
            **os.environ,
            "PATH": os.pathsep.join((str(binaries), os.environ.get("PATH", os.defpath))),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith(ANSWER):
            return Trial.model_validate_json(line.removeprefix(ANSWER))
        if line.startswith(ERROR):
            error = json.loads(line.removeprefix(ERROR))
            raise told(error["code"], error["message"])
    last = "\n".join(done.stderr.splitlines()[-15:])
    raise SettingsError(f"Spark could not parse the sample (exit code {done.returncode}):\n{last}")
