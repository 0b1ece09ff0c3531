"""A real schema registry for tests: Apicurio's, which answers Confluent's clients, its data in memory."""

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from filelock import FileLock

from local.install.java import java_home
from local.stack.ports import free_port
from testbed.artifacts import Artifact, fetched
from testbed.waiting import awaited

REGISTRY = Artifact(
    "io.apicurio",
    "apicurio-registry-app",
    "2.6.13.Final",
    "3cda1b34aa020fb4ac4dd6a66018d757e81e437f97e20a1f92d366b70091c6ba",
    "all",
    "tar.gz",
)
"""All its jars, 142 MB; 2.6 runs on Java 17, as the rest does."""

JVM = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def registry_folder(home: Path) -> Path:
    """The registry's jars."""
    archive = fetched(home, REGISTRY)
    folder = archive.with_name(f"{REGISTRY.name}-{REGISTRY.version}")
    with FileLock(home / "jars.writing"):
        if not folder.exists():
            making = folder.with_suffix(".making")
            with tarfile.open(archive) as packed:
                packed.extractall(making, filter="data")
            making.rename(folder)
    return folder


@contextmanager
def running_registry(home: Path, log: Path) -> Iterator[str]:
    """The registry while it runs, on 127.0.0.1; its address for Confluent's clients."""
    folder, port = registry_folder(home), free_port()
    java = java_home(home) / "bin" / "java"
    own = (f"-Dquarkus.http.port={port}", "-Dquarkus.http.host=127.0.0.1")
    jar = folder / f"{folder.name}-runner.jar"
    with log.open("wb") as out:
        server = subprocess.Popen([java, *JVM, *own, "-jar", jar], stdout=out, stderr=out, cwd=log.parent)
    url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    try:
        awaited(lambda: server.poll() is not None or _answers(url), 120, 0.2)
        assert server.poll() is None, log.read_text(encoding="utf-8")
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/subjects", timeout=5).is_success
    except httpx.TransportError:
        return False
