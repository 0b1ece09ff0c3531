"""Compose reads docker-compose.yaml; it is built from its Go module, because `config` needs no engine."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from headrace.settings import PROJECT, load_settings

COMPOSE = "github.com/docker/compose/v2@v2.40.3"
SECRETS = (
    "FERNET_KEY",
    "SECRET_KEY",
    "JWT_SECRET",
    "POSTGRES_PASSWORD",
    "KAFKA_PASSWORD",
    "SPARK_SECRET",
    "ADMIN_PASSWORD",
    "VIEWER_PASSWORD",
)


@pytest.fixture(scope="session")
def compose() -> Path:
    """The program, built once a home."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not on this machine: Compose cannot be built")
    folder = load_settings().home_path / "compose"
    binary = folder / COMPOSE.rpartition("@")[2] / "docker-compose"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not binary.exists():
            _build(go, folder, binary)
    return binary


def _build(go: str, folder: Path, binary: Path) -> None:
    # Go's caches beside it: nothing is left in the home of whoever runs the tests.
    caches = {"GOPATH": str(folder / "go"), "GOCACHE": str(folder / "cache"), "GOFLAGS": "-modcacherw"}
    environment = {**os.environ, **caches}
    subprocess.run([go, "mod", "download", COMPOSE], env=environment, check=True)
    module = folder / "go/pkg/mod" / COMPOSE
    scratch = binary.with_suffix(".new")
    binary.parent.mkdir(exist_ok=True)
    subprocess.run([go, "build", "-o", str(scratch), "./cmd"], cwd=module, env=environment, check=True)
    scratch.rename(binary)
    shutil.rmtree(folder / "go")
    shutil.rmtree(folder / "cache")


def config(compose: Path, env_file: Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(compose),
        "--env-file",
        str(env_file),
        "-f",
        str(PROJECT / "docker-compose.yaml"),
        "config",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.timeout(1800)  # building it takes three minutes of two cores; a crowded machine has less
def test_compose_reads_it(compose: Path, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"HEADRACE_{name}=a-secret\n" for name in SECRETS), encoding="utf-8")
    done = config(compose, env_file)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert {"kafka", "postgres", "api-server", "scheduler", "dag-processor", "triggerer"} <= services.keys()
    assert services["scheduler"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    extra = json.loads(services["scheduler"]["environment"]["AIRFLOW_CONN_KAFKA_DEFAULT"])["extra"]
    assert extra["sasl.password"] == "a-secret"


@pytest.mark.timeout(1800)  # building it takes three minutes of two cores; a crowded machine has less
def test_without_secrets_it_refuses_and_says_what_to_do(compose: Path, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("", encoding="utf-8")
    done = config(compose, env_file)
    assert done.returncode != 0
    assert "copy .env.example to .env and fill it in" in done.stderr
