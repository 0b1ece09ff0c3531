"""Set-up with nothing but Python: uv, the virtual environment, the project in it, the jars.

Does nothing when all of it is there. What it made is stamped last, with a hash of what it was made from, so
that an interrupted set-up is made again and a finished one costs milliseconds. All is under HEADRACE_HOME.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "include"))  # nothing is installed yet, and the core's `files` needs nothing

from headrace.files import write_whole  # noqa: E402  # see the line above

HOME = PROJECT / (os.environ.get("HEADRACE_HOME") or ".headrace")  # an absolute path stays what it is
VENV = HOME / "venv"
MADE_FROM = (
    "requirements.txt",
    "pyproject.toml",
    "local/install/uv.txt",
    "local/install/jars.lock",
    "local/install/setup.py",
)


class Stopped(Exception):
    """Set-up cannot go on; the message is the one sentence for the person."""


def fingerprint(*names: str) -> str:
    """A hash of these files, of this Python and of where all is: an environment cannot be moved."""
    of = hashlib.sha256(f"{sys.version}\0{sys.executable}\0{PROJECT}\0{HOME}".encode())
    for name in names:
        of.update(b"\0" + (PROJECT / name).read_bytes())
    return of.hexdigest()


def java() -> str:
    """Which Java it is: with another one the class-data archive is made again."""
    found = shutil.which("java")
    home = os.environ.get("JAVA_HOME") or (found and Path(found).resolve().parent.parent)
    release = Path(home or "/nowhere") / "release"
    return f"{home} {release.stat().st_mtime_ns if release.exists() else ''}"


def is_made(stamp: Path, wanted: str) -> bool:
    """Whether `stamp` says that what it stands beside was made from what is wanted now."""
    return stamp.exists() and stamp.read_text() == wanted


def environment() -> "dict[str, str]":
    """The environment of pip and uv: no cache in the user's home, no other Python's packages."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_TARGET")
    cache = HOME / "cache"
    return {
        **{name: value for name, value in os.environ.items() if name not in hidden},
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
        "XDG_CACHE_HOME": str(cache),
        # pip asks rustc for its version; a rustup that was never used answers by writing to the user's home.
        "RUSTUP_HOME": str(cache / "rustup"),
    }


def step(what: str, way_out: str, *command: "str | Path") -> None:
    """Run one command of the set-up, its output in the log; `way_out` tells what to do when it fails."""
    log = HOME / "logs" / "setup.log"
    started = time.monotonic()
    _say(f"set-up: {what} …")
    with log.open("ab") as out:
        before = out.tell()
        code = subprocess.run(
            [str(part) for part in command],
            cwd=PROJECT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if code:
        _say("\n")
        said = log.read_bytes()[before:].decode(errors="replace").strip().splitlines()
        raise Stopped(
            f"Set-up stopped at: {what}. {way_out} Last line of {log}: {said[-1] if said else 'none'}"
        )
    _say(f" {time.monotonic() - started:.0f} s\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


NETWORK = (
    "It needs the network once: check the connection (HTTPS_PROXY, or a mirror in pip's and uv's own "
    "configuration) and run the same command again."
)


def make_uv() -> Path:
    """Bring uv, of the version and hashes in local/install/uv.txt."""
    folder = HOME / "uv"
    stamp, wanted = folder / "made", fingerprint("local/install/uv.txt")
    if not is_made(stamp, wanted):
        way_out = "Python's venv module is missing: install it (Debian: apt install python3-venv)."
        step("a place for uv", way_out, sys.executable, "-m", "venv", "--clear", folder)
        pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes")
        step("uv", NETWORK, *pip, "--only-binary", ":all:", "-r", "local/install/uv.txt")
        write_whole(stamp, wanted)
    return folder / "bin" / "uv"


def make_environment() -> None:
    """Make the virtual environment from the lock, with the project in it."""
    stamp, wanted = VENV / "made", fingerprint("requirements.txt", "pyproject.toml", "local/install/uv.txt")
    if is_made(stamp, wanted):
        return
    uv = make_uv()
    step("a virtual environment", "", uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
    install = (uv, "pip", "install", "--quiet", "--python", VENV / "bin" / "python")
    # Compiled here: else the first process does it that imports a module, or each one, where
    # PYTHONDONTWRITEBYTECODE is set, as in many containers; that doubles the start of most.
    locked = ("--require-hashes", "--compile-bytecode", "-r", "requirements.txt")
    step("the locked packages", NETWORK, *install, *locked)
    step("the project", "", *install, "--no-deps", "--no-build-isolation", "--editable", PROJECT)
    # pyspark comes as source: what was built of it would stay in the cache with another 1.9 GB beside it.
    step("tidying up", "", uv, "cache", "clean", "--quiet")
    write_whole(stamp, wanted)


def main() -> None:
    """Make what is missing; one at a time, if two commands are given at once."""
    stamp, wanted = HOME / "set-up", f"{fingerprint(*MADE_FROM)} {java()}"
    if is_made(stamp, wanted):
        return
    (HOME / "logs").mkdir(parents=True, exist_ok=True)
    with (HOME / "set-up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_made(stamp, wanted):
            return
        make_environment()
        # Not a step: its messages (Java, network) are shown to the person as they are.
        if subprocess.run(
            [VENV / "bin" / "python", "-m", "local", "prepare"], cwd=PROJECT, check=False
        ).returncode:
            raise SystemExit(1)
        write_whole(stamp, wanted)


if __name__ == "__main__":
    os.umask(0o077)
    try:
        main()
    except Stopped as stopped:
        raise SystemExit(str(stopped)) from None
    except KeyboardInterrupt:
        raise SystemExit("\nInterrupted. The same command goes on with the set-up.") from None
