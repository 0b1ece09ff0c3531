"""`make audit`: what Headrace is made of, held against public lists of known holes; it changes nothing.

Packages by pip-audit, jars by a question to OSV, which both need the network. What could not be asked is
never taken for sound.
"""

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import httpx

from headrace.errors import SetupFailed
from headrace.settings import PROJECT
from local.install.jars import ROOTS, locked_jars
from local.install.pyspark import spark_home

OSV = "https://api.osv.dev/v1/querybatch"
AT_ONCE = 500
"""Jars in one question; the service takes up to 1,000."""

AUDITED = ("requirements.txt", "local/install/uv.txt", "local/install/audit.txt")


def audit_packages(home: Path) -> bool:
    """Say which locked packages have known holes; whether all were looked up and none has.

    Raises:
        SetupFailed: pip-audit could not be installed.
    """
    environment, uv = home / "audit", home / "uv" / "bin" / "uv"
    python = environment / "bin" / "python"
    for command in (
        (uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment),
        (uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", AUDITED[-1]),
    ):
        done = subprocess.run(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise SetupFailed(f"pip-audit could not be installed: {done.stderr.strip()}")
    # Strict: else what the list does not answer for is left out, and the end is "no known vulnerabilities".
    asked: list[str | Path] = [python, "-m", "pip_audit", "--strict", "--disable-pip"]
    asked += ["--progress-spinner", "off"]
    # One by one: it refuses a package that two of them name.
    ends = [subprocess.run([*asked, "-r", lock], cwd=PROJECT, check=False).returncode for lock in AUDITED]
    return not any(ends)


def audited_jars() -> set[str]:
    """Every jar as group:artifact:version: those of the lock, and what pyspark's say that they hold."""
    locked = {f"{j.group}:{j.artifact}:{j.version}" for name in ROOTS for j in locked_jars(name)}
    return locked.union(*map(coordinates, (spark_home() / "jars").glob("*.jar")))


def coordinates(jar: Path) -> set[str]:
    """What a jar says it is made of; more where others are packed into it, none where it is silent."""
    with zipfile.ZipFile(jar) as packed:
        texts = [
            packed.read(name).decode("utf-8", "replace")
            for name in packed.namelist()
            if name.startswith("META-INF/maven/") and name.endswith("/pom.properties")
        ]
    said = [dict(line.split("=", 1) for line in text.splitlines() if "=" in line) for text in texts]
    parts = ("groupId", "artifactId", "version")
    return {":".join(each[part].strip() for part in parts) for each in said if each.keys() >= set(parts)}


def holes(jars: Iterable[str], client: httpx.Client) -> dict[str, list[str]]:
    """The ids of the known holes of each jar that has any.

    Raises:
        SetupFailed: the list did not answer, or not for every jar.
    """
    found: dict[str, list[str]] = {}
    left = sorted(jars)
    while left:
        now, left = left[:AT_ONCE], left[AT_ONCE:]
        questions = [{"package": {"purl": purl(jar)}} for jar in now]
        try:
            answer = client.post(OSV, json={"queries": questions}).raise_for_status().json()["results"]
            answered = list(zip(now, answer, strict=True))
        except (httpx.HTTPError, KeyError, ValueError) as silent:
            raise SetupFailed(f"The jars were not audited: {OSV} did not answer ({silent})") from silent
        found |= {jar: [hole["id"] for hole in each["vulns"]] for jar, each in answered if each.get("vulns")}
    return found


def purl(jar: str) -> str:
    """A jar's name as package lists write it."""
    group, artifact, version = jar.split(":")
    return f"pkg:maven/{group}/{artifact}@{version}"
