"""Where and with what was measured: half of what a figure means."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from headrace.settings import PROJECT

PACKAGES = ("pyspark", "delta-spark", "deltalake", "polars", "pyarrow", "confluent-kafka")


def described() -> dict[str, str]:
    """The machine, its load, the commit and the versions, as words."""
    own = psutil.cpu_count() or 1
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _commit(),
        "machine": f"{_processor()}, {own} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB",
        "load average": f"{os.getloadavg()[2]:.1f} in the 15 minutes before the end",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{each} {version(each)}" for each in PACKAGES)]
        ),
    }


def _commit() -> str:
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
