"""The jars of Spark and of the broker: locked with checksums, fetched by jgo, kept under HEADRACE_HOME."""

import hashlib
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from headrace.errors import SetupFailed
from local.install.pyspark import spark_home

LOCK = Path(__file__).parent / "jars.lock"

ROOTS = {
    "spark": (
        "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0",
        "io.delta:delta-spark_4.2_2.13:4.4.0",
    ),
    "broker": (
        # "!": else log4j's list of managed versions puts kafka-clients 3.9.1 under a 4.3 broker.
        "org.apache.kafka:kafka_2.13:4.3.1!",
        "org.apache.kafka:kafka-tools:4.3.1!",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3!",  # for slf4j 1.7, which Kafka brings
    ),
}
"""What each set is made for; `make lock` adds what these need."""

HEADER = "# Written by `make lock` from ROOTS in jars.py beside it: set, group:artifact:version, sha256.\n"


@dataclass(frozen=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Name of the file in its set's folder."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(name: str, lock: Path = LOCK) -> tuple[Jar, ...]:
    """The lock's jars of the set `name` (`spark` or `broker`)."""
    lines = (
        line.split() for line in lock.read_text(encoding="utf-8").splitlines() if line[:1] not in ("#", "")
    )
    found = ((*coordinate.split(":"), sha) for part, coordinate, sha in lines if part == name)
    return tuple(Jar(group, artifact, version, sha) for group, artifact, version, sha in found)


def fetch_jars(home: Path, name: str, lock: Path = LOCK) -> Path:
    """Bring the set `name` to `home`/jars/`name` and return that folder; does nothing when it is there.

    Raises:
        SetupFailed: a jar could not be fetched, or its checksum is not the lock's.
    """
    # Real path: a test's home may link to another's jars, and a class-data archive knows them by their path.
    folder = (home / "jars" / name).resolve()
    wanted = locked_jars(name, lock)
    stamp = folder / "complete"
    fingerprint = hashlib.sha256("\n".join(f"{jar.file} {jar.sha256}" for jar in wanted).encode()).hexdigest()
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "jars.writing"):
        if not (stamp.exists() and stamp.read_text() == fingerprint):
            stamp.unlink(missing_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            for stray in {path.name for path in folder.iterdir()} - {jar.file for jar in wanted}:
                (folder / stray).unlink()
            maven = maven_client(home)
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda jar: _fetch(maven, jar, folder), wanted))
            shutil.rmtree(maven.repo_cache, ignore_errors=True)  # the set's folder has the only copy
            stamp.write_text(fingerprint)
    return folder


def _fetch(maven: Any, jar: Jar, folder: Path) -> None:
    target = folder / jar.file
    if target.exists() and _sha256(target) == jar.sha256:
        return
    artifact = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    artifact.cached_path.unlink(missing_ok=True)  # jgo takes an interrupted download for a whole file
    try:
        fetched = artifact.resolve()
    except (OSError, RuntimeError) as failed:  # requests' errors are OSErrors
        raise SetupFailed(
            f"Cannot fetch {jar.file} from the Maven repository ({type(failed).__name__}). Set-up needs the "
            "network once: check the connection (HTTPS_PROXY, or a mirror in jgo's own config) and run the "
            "same command again; it goes on where it stopped."
        ) from failed
    if _sha256(fetched) != jar.sha256:
        fetched.unlink()
        raise SetupFailed(
            f"{jar.file} has another sha256 than {LOCK.name} says, and was thrown away. Run the same command "
            "again; if it stays so, something between here and the Maven repository alters files."
        )
    fetched.replace(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def maven_client(home: Path) -> Any:
    """A Maven client whose cache lies in the home, not in the user's."""
    from jgo.config import GlobalSettings  # noqa: PLC0415  # 0.3 s that a set-up jar set does not need
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    # jgo's settings name a company's mirror where there is one; its caches would be in the user's home.
    mirrors = GlobalSettings.load().repositories
    remote = MavenContext(repo_cache=home / "jars" / "maven").remote_repos | mirrors
    return MavenContext(
        resolver=PythonResolver(), repo_cache=home / "jars" / "maven", remote_repos=remote, timeout=60
    )


def write_lock(home: Path, lock: Path = LOCK) -> None:
    """Resolve ROOTS and write the lock; jars that pyspark ships are left out of the spark set."""
    maven = maven_client(home)
    lines = []
    for name, roots in ROOTS.items():
        given, needed = maven.resolver.resolve([maven.create_dependency(root) for root in roots])
        left_out = _shipped_by_pyspark() if name == "spark" else set()
        artifacts = {
            d.artifact.key: d.artifact
            for d in (*given, *needed)
            if d.scope in ("compile", "runtime", None) and not d.optional and d.artifactId not in left_out
        }
        for artifact in sorted(artifacts.values(), key=lambda a: (a.groupId, a.artifactId)):
            coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
            lines.append(f"{name} {coordinate} {_sha256(artifact.resolve())}\n")
    shutil.rmtree(maven.repo_cache, ignore_errors=True)
    lock.write_text(HEADER + "".join(lines), encoding="utf-8")


def _shipped_by_pyspark() -> set[str]:
    return {re.sub(r"-\d.*$", "", jar.name) for jar in (spark_home() / "jars").glob("*.jar")}
