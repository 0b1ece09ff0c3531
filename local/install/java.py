"""Java: from JAVA_HOME, else the path, else fetched by cjdk; 17 or newer."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from headrace.errors import SetupFailed

OLDEST = 17

WAY_OUT = (
    f"Install a Java runtime of version {OLDEST} or newer (Debian: apt install openjdk-17-jre-headless, "
    "macOS: brew install openjdk@17), or point JAVA_HOME at one, and run the same command again."
)


def java_home(home: Path) -> Path:
    """The folder of a Java that is new enough; a fetched one is kept under `home`/java.

    Raises:
        SetupFailed: JAVA_HOME or the path lead to no Java of version 17 or newer, and none could be fetched.
    """
    if given := os.environ.get("JAVA_HOME"):
        version = java_version(Path(given))
        if version is None:
            raise SetupFailed(f"JAVA_HOME is {given!r}, and there is no bin/java that runs. {WAY_OUT}")
        if version < OLDEST:
            raise SetupFailed(f"JAVA_HOME is {given!r}, which is Java {version}. {WAY_OUT}")
        return Path(given)
    if found := shutil.which("java"):
        folder = Path(found).resolve().parents[1]
        if (java_version(folder) or 0) >= OLDEST:
            return folder
    return _fetched(home / "java", found)


def java_version(folder: Path) -> int | None:
    """The feature version (17, 21 …) of the Java in `folder`; None when there is none that runs."""
    try:
        said = subprocess.run(
            [folder / "bin" / "java", "-version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    return int(number[1]) if number else None


def _fetched(cache: Path, found: str | None) -> Path:
    import cjdk  # noqa: PLC0415  # needed where there is no Java only

    try:
        return Path(cjdk.java_home(vendor="temurin-jre", version=str(OLDEST), cache_dir=cache))
    except (cjdk.CjdkError, OSError) as failed:
        seen = f"{found} is older than {OLDEST}" if found else "there is no java on the path"
        raise SetupFailed(f"No usable Java: {seen}, and none could be fetched. {WAY_OUT}") from failed
