"""A real PostgreSQL server for a test, set up as the official image does it."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any


def server_binaries() -> Path | None:
    """The folder with initdb and postgres: Debian keeps them off the PATH, one folder per version."""
    known = [Path(found).parent for found in [shutil.which("initdb")] if found]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = [*reversed(debian), *known]
    return next((path for path in found if (path / "initdb").exists() and (path / "postgres").exists()), None)


class Postgres:
    """One server with its data in a folder of its own; root runs it as the user postgres."""

    def __init__(self, binaries: Path, port: int, environment: dict[str, str]) -> None:
        """`environment` is the image's: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB."""
        self.binaries, self.port, self.wanted = binaries, port, environment
        # Not among the other files of a test: a user who is not root must come to it.
        self.folder = Path(tempfile.mkdtemp(prefix="headrace-postgres-"))
        self._as: dict[str, Any] = {"cwd": self.folder, "env": {"LANG": "C.UTF-8", "PATH": os.defpath}}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def start(self, log: Path) -> "subprocess.Popen[bytes]":
        """Make the database and start the server, on 127.0.0.1 and without a socket in the file system."""
        data, password = self.folder / "data", self.folder / "password"
        password.write_text(self.wanted["POSTGRES_PASSWORD"], encoding="utf-8")
        password.chmod(0o644)  # in a folder that only the server's user enters
        owner = f"--username={self.wanted['POSTGRES_USER']}"
        self._run("initdb", owner, f"--pwfile={password}", "--auth-host=scram-sha-256", f"--pgdata={data}")
        password.unlink()
        made = f'CREATE DATABASE "{self.wanted["POSTGRES_DB"]}"\n'
        self._run("postgres", "--single", "-D", str(data), "postgres", given=made)
        settings = (f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=")
        options = [word for setting in settings for word in ("-c", setting)]
        with log.open("wb") as out:
            return subprocess.Popen(
                [str(self.binaries / "postgres"), "-D", str(data), *options],
                stdout=out,
                stderr=subprocess.STDOUT,
                **self._as,
            )

    def _run(self, program: str, *arguments: str, given: str = "") -> None:
        done = subprocess.run(
            [str(self.binaries / program), *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            **self._as,
        )
        assert done.returncode == 0, done.stderr

    def remove(self) -> None:
        """Remove its data."""
        shutil.rmtree(self.folder)
