"""Files of the Maven repository that tests alone need: fetched once a home, and verified."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from local.install.jars import maven_client


@dataclass(frozen=True)
class Artifact:
    """One file of the repository."""

    group: str
    name: str
    version: str
    sha256: str
    classifier: str = ""
    packaging: str = "jar"

    @property
    def file(self) -> str:
        """What it is called."""
        parts = filter(None, (self.name, self.version, self.classifier))
        return f"{'-'.join(parts)}.{self.packaging}"


def fetched(home: Path, artifact: Artifact) -> Path:
    """The file, in the home."""
    target = home / "jars" / "tests" / artifact.file
    with FileLock(home / "jars.writing"):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            project = maven_client(home).project(artifact.group, artifact.name)
            found = project.at_version(artifact.version).artifact(artifact.classifier, artifact.packaging)
            came = found.resolve()
            with came.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            assert sha256 == artifact.sha256, f"{artifact.file} has the sha256 {sha256}"
            came.replace(target)
    return target
