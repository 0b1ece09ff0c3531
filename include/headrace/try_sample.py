"""`headrace try`: a driver that parses a sample, and what it answers."""

import os
import subprocess
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from headrace.driver.protocol import read_last_word
from headrace.driver.spark_submit import SPARK_SUBMIT, python_environment
from headrace.errors import SettingsError, error_of_code
from headrace.settings import PROJECT, Settings

ANSWER = "HEADRACE-TRY "


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
    script = PROJECT / "spark_jobs" / "try_sample.py"
    done = subprocess.run(  # noqa: S603  # an argument list, no shell
        [
            SPARK_SUBMIT,
            str(script),
            str(contract.resolve()),
            str(sample.resolve()),
            str(rows),
        ],
        env={
            "SPARK_CONF_DIR": str(settings.home_path / "spark-conf"),
            **os.environ,
            **python_environment(),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith(ANSWER):
            return Trial.model_validate_json(line.removeprefix(ANSWER))
        if error := read_last_word(line):
            raise error_of_code(error.code, error.message)
    last = "\n".join(done.stderr.splitlines()[-15:])
    raise SettingsError(f"Spark could not parse the sample (exit code {done.returncode}):\n{last}")
