"""One archive with the Python packages that Spark's executors need, where the workers have none of them.

A folder to import from, not an environment: it holds no path, no script and no Python, so that it may lie
anywhere. The worker's own Python runs it, of the same minor version and platform as the one that made it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from sysconfig import get_platform

from filelock import FileLock

from headrace.errors import SetupFailed
from headrace.settings import PROJECT

LOCK = PROJECT / "requirements.txt"
NEEDED = Path(__file__).with_name("executors.txt")


def executors_file(home: Path) -> Path:
    """Where the archive for this checkout and this Python is, or would be."""
    of = hashlib.sha256(f"{sys.version_info[:2]} {get_platform()}".encode())
    for part in _made_from():
        of.update(f"\0{part.relative_to(PROJECT)}\0".encode() + part.read_bytes())
    return home / f"executors-{of.hexdigest()[:16]}.tar.gz"


def _made_from() -> Iterator[Path]:
    """The locks, and all that a wheel of the project has."""
    yield from (LOCK, NEEDED, PROJECT / "pyproject.toml")
    for package in ("include/headrace", "plugins/headrace_airflow", "spark_jobs/headrace_spark"):
        files = (file for file in (PROJECT / package).rglob("*") if file.is_file())
        yield from sorted(file for file in files if "__pycache__" not in file.parts)


def make_executors(home: Path) -> Path:
    """Make the archive unless it is there; its file.

    Raises:
        SetupFailed: a package could not be fetched, or its hash is not the lock's.
    """
    target = executors_file(home)
    with FileLock(home / "executors.making"):
        if not target.exists():
            scratch = home / "executors.scratch"
            shutil.rmtree(scratch, ignore_errors=True)  # of one that was interrupted
            _install(home / "uv" / "bin" / "uv", scratch / "packages")
            _pack(scratch / "packages", scratch / target.name)
            (scratch / target.name).replace(target)
            shutil.rmtree(scratch)
    return target


def _install(uv: Path, folder: Path) -> None:
    """By uv, which holds what it fetches against the hashes of the lock, also where that only constrains."""
    install = (
        *(uv, "pip", "install", "--quiet", "--no-cache", "--compile-bytecode"),
        *("--python", sys.executable, "--target", folder),
    )
    # Compiled here once, not on each executor at its start. Unchecked: unpacking may change a file's time.
    environment = {**os.environ, "PYC_INVALIDATION_MODE": "UNCHECKED_HASH"}
    for what in (
        ("--constraints", LOCK, "--requirements", NEEDED),
        ("--no-deps", "--no-build-isolation", PROJECT),
    ):
        done = subprocess.run(
            (*install, *what), cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SetupFailed(
                "The executors' packages could not be installed, for which the network is needed "
                f"(HTTPS_PROXY, or a mirror in uv's own configuration): {done.stderr.strip()}"
            )
    shutil.rmtree(folder / "bin")  # commands, which begin with the path of this machine's Python


def _pack(folder: Path, file: Path) -> None:
    def anybodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
        """Readable for all, also where an administrator unpacks it."""
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    with tarfile.open(file, "w:gz", compresslevel=6) as archive:
        archive.add(folder, ".", filter=anybodys)
