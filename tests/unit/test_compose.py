"""docker-compose.yaml says what the locks say; in tests/integration Compose itself reads it."""

import re
import tomllib

import pytest
import yaml

from headrace.settings import PROJECT
from local.jars import locked_jars

COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")


def test_the_broker_is_of_the_locked_version() -> None:
    locked = next(jar.version for jar in locked_jars("broker") if jar.artifact == "kafka_2.13")
    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{locked}"


def test_the_image_is_the_projects_version_and_takes_the_locks() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = {service["image"] for service in COMPOSE["services"].values() if "build" in service}
    assert ours == {f"headrace:{project['version']}"}
    assert "--require-hashes -r requirements.txt" in DOCKERFILE
    assert re.search(r"fetch_jars\(Path\('/opt'\), 'spark'\)", DOCKERFILE)
    assert f"FROM python:{project['requires-python'].removeprefix('>=')}-" in DOCKERFILE


def test_airflow_runs_on_a_database_whose_driver_is_locked() -> None:
    lock = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
    environment = COMPOSE["services"]["scheduler"]["environment"]
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://")
    assert "\npsycopg2-binary==" in lock
    assert "\nasyncpg==" in lock


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_what_the_host_reaches_listens_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"][name].get("ports", []))


def test_every_secret_comes_from_the_env_file_and_is_demanded() -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^(HEADRACE_\w+)=$", example, flags=re.MULTILINE))
    demanded = set(re.findall(r"\$\{(HEADRACE_\w+):\?", (PROJECT / "docker-compose.yaml").read_text("utf-8")))
    assert named == demanded
    assert len(named) == 5


def test_the_containers_and_the_one_machine_find_dead_tasks_alike() -> None:
    source = (PROJECT / "local/airflow.py").read_text(encoding="utf-8")
    for name in ("TASK_INSTANCE_HEARTBEAT_TIMEOUT", "TASK_INSTANCE_HEARTBEAT_SEC"):
        here = re.search(rf'"{name}": (\d+)', source)
        assert here is not None
        assert COMPOSE["services"]["scheduler"]["environment"][f"AIRFLOW__SCHEDULER__{name}"] == here[1]
