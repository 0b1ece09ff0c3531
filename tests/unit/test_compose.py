"""docker-compose.yaml says what the locks and the one-machine stack say; tests/integration starts it."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from headrace.settings import PROJECT, Settings
from local.install.jars import locked_jars
from local.stack.airflow import _configuration as airflow_options
from local.stack.broker_properties import Node
from local.stack.spark import LOG4J, SMALL

TEXT = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
SPARK_CONF = PROJECT / "docker/spark-conf"

OURS = {name for name, service in SERVICES.items() if "build" in service}
STAYING = {name for name, service in SERVICES.items() if service["restart"] != "no"}


def image_of(name: str) -> str:
    """A service's image where .env pins none."""
    return re.sub(r"^\$\{\w+:-(.+)\}$", r"\1", str(SERVICES[name]["image"]))


def test_the_broker_is_of_the_locked_version() -> None:
    locked = next(jar.version for jar in locked_jars("broker") if jar.artifact == "kafka_2.13")
    assert image_of("kafka") == image_of("kafka-login") == f"apache/kafka:{locked}"


def test_the_image_is_the_projects_version_and_takes_the_locks() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"headrace:{project['version']}"}
    assert "--require-hashes -r requirements.txt" in DOCKERFILE
    assert re.search(r"fetch_jars\(Path\('/opt'\), 'spark'\)", DOCKERFILE)
    python = re.search(r"^ARG PYTHON_IMAGE=(.+)\nFROM \$\{PYTHON_IMAGE\}$", DOCKERFILE, flags=re.MULTILINE)
    assert python is not None
    assert python[1].startswith(f"python:{project['requires-python'].removeprefix('>=')}-")
    told = {SERVICES[name]["build"]["args"]["PYTHON_IMAGE"] for name in OURS}
    assert told == {f"${{HEADRACE_PYTHON_IMAGE:-{python[1]}}}"}


def test_the_image_is_made_of_an_allow_list() -> None:
    """What the Dockerfile takes, and nothing that lies in the checkout of whoever builds it."""
    first, *others = [
        line
        for line in (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    allowed = {line.removeprefix("!") for line in others if line.startswith("!")} - {"**/.airflowignore"}
    assert allowed == {
        *("LICENSE", "README.md", "pyproject.toml", "requirements.txt"),  # the distribution, and its lock
        *("dags", "docker", "include", "local", "plugins", "spark_jobs"),
    }
    assert all((PROJECT / name).exists() for name in allowed)
    assert {"**/__pycache__", "**/.*"} <= set(others)


def test_airflow_runs_on_a_database_whose_driver_is_locked() -> None:
    lock = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
    environment = SERVICES["scheduler"]["environment"]
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://")
    assert "\npsycopg2-binary==" in lock
    assert "\nasyncpg==" in lock


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version(name: str) -> None:
    """The volume of a database of one major version cannot be read by the next."""
    assert re.search(r":\d+(\.\d+)*(-[a-z]+)?$", image_of(name))


@pytest.mark.parametrize("name", SERVICES)
def test_what_the_host_reaches_listens_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def reached(name: str) -> set[str]:
    if SERVICES[name].get("network_mode") == "service:kafka":  # inside the broker's container
        return set()
    return set(SERVICES[name]["networks"])


def test_the_records_and_airflows_database_are_reached_by_those_alone_who_need_them() -> None:
    assert {name for name, network in COMPOSE["networks"].items() if network} == {"airflow", "records"}
    assert all(COMPOSE["networks"][name] == {"internal": True} for name in ("airflow", "records"))
    records = {name for name in SERVICES if "records" in reached(name)}
    assert records == {"kafka", "scheduler", "triggerer", "spark-master", "spark-worker"}
    airflow = {name for name in SERVICES if "airflow" in reached(name)}
    assert airflow == SERVICES.keys() - {"kafka", "kafka-login", "spark-master", "spark-worker"}


def test_a_published_port_has_a_network_of_its_own() -> None:
    for name, service in SERVICES.items():
        outward = reached(name) - {"airflow", "records"}
        assert len(outward) == len(service.get("ports", [])), name
        assert not any(outward & reached(other) for other in SERVICES.keys() - {name})


def test_the_driver_listens_where_its_executors_are_and_nowhere_else() -> None:
    conf = (SPARK_CONF / "spark-defaults.conf").read_text(encoding="utf-8")
    said = dict(re.findall(r"^spark\.driver\.(host|bindAddress) +(\S+)$", conf, flags=re.MULTILINE))
    (alias,) = SERVICES["scheduler"]["networks"]["records"]["aliases"]
    assert said == {"host": alias, "bindAddress": alias}
    # The name of a service stands for it in all of its networks: binding to it might take the wrong one.
    assert alias not in SERVICES


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_processes_have_no_rights_but_a_users(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


def test_a_login_ends_with_the_working_day() -> None:
    environment = SERVICES["api-server"]["environment"]
    assert int(environment["AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME"]) <= 8 * 3600
    for limit in ("SESSION_LIFETIME_MINUTES", "SESSION_MAX_LIFETIME_MINUTES"):
        assert 0 < int(environment[f"AIRFLOW__FAB__{limit}"]) <= 8 * 60


@pytest.mark.parametrize("name", sorted(STAYING))
def test_every_service_that_stays_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"]
    assert check["start_period"] == "2m"  # a slow host's start is no ill health: `up --wait` would give up


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_until_the_others_are_ready_and_not_only_started(name: str) -> None:
    for other, told in (SERVICES[name].get("depends_on") or {}).items():
        wanted = "service_healthy" if other in STAYING else "service_completed_successfully"
        assert told["condition"] == wanted, other


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_named_volume_takes_its_owner_from_a_folder_of_the_image(name: str) -> None:
    """Docker copies owner and mode of the image's folder; where there is none, the volume is root's."""
    made = re.findall(r"/var/lib/headrace/\w+", DOCKERFILE.rpartition("USER headrace")[2])
    named = [volume.split(":") for volume in SERVICES[name]["volumes"] if not volume.startswith("./")]
    assert {folder for _, folder in named} <= set(made)
    assert {volume for volume, _ in named} <= COMPOSE["volumes"].keys()


def test_every_secret_comes_from_the_env_file_and_is_demanded() -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^(HEADRACE_\w+)=$", example, flags=re.MULTILINE))
    assert named == set(re.findall(r"\$\{(HEADRACE_\w+):\?", TEXT))
    assert len(named) == 8
    free = set(re.findall(r"^#(HEADRACE_\w+=\S+)$", example, flags=re.MULTILINE))
    assert free == {
        f"{name}={default}" for name, default in re.findall(r"\$\{(HEADRACE_\w+):-([^}]+)\}", TEXT)
    }


@pytest.mark.parametrize("who", ["ADMIN", "VIEWER"])
def test_a_persons_password_is_known_to_nobody_but_the_one_who_sets_it(who: str) -> None:
    knowing = {name for name in SERVICES if f"HEADRACE_{who}_PASSWORD" in SERVICES[name]["environment"]}
    assert knowing == {"airflow-init"}


OTHERWISE = {
    # Where things are, and secrets:
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__PLUGINS_FOLDER",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    # Several people with roles, where one machine has one person:
    "AIRFLOW__CORE__AUTH_MANAGER",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
    "AIRFLOW__FAB__SESSION_LIFETIME_MINUTES",
    "AIRFLOW__FAB__SESSION_MAX_LIFETIME_MINUTES",
    # By the api-server's command line, or AIRFLOW_HOME of the image:
    "AIRFLOW__API__HOST",
    "AIRFLOW__API__PORT",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
    # Airflow's own defaults:
    "AIRFLOW__API__WORKERS",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION",
}


@pytest.mark.parametrize("name", ["api-server", "scheduler", "dag-processor", "triggerer"])
def test_airflow_is_set_as_on_one_machine(name: str, settings: Settings) -> None:
    one_machine = {
        option: value
        for option, value in airflow_options(settings).items()
        if option.startswith("AIRFLOW__") and option not in OTHERWISE
    }
    here = SERVICES[name]["environment"]
    assert {option: here.get(option) for option in one_machine} == one_machine
    assert {option for option in here if option.startswith("AIRFLOW__")} <= one_machine.keys() | OTHERWISE


def test_the_broker_is_set_as_on_one_machine() -> None:
    placed = re.compile(
        r"(.*listener.*|sasl\.mechanism\.inter\.broker\.protocol|controller\.quorum\.voters|log\.dirs|node\.id)="
    )
    wanted = {
        line
        for line in Node(1, 2, "", "").server().splitlines()
        if not line.startswith("#") and not placed.match(line)
    }
    # The image's rule, whose own program tests/integration runs: KAFKA_FOO_BAR becomes foo.bar.
    said = SERVICES["kafka"]["environment"].items()
    assert wanted <= {
        f"{key.removeprefix('KAFKA_').lower().replace('_', '.')}={value}" for key, value in said
    }


def test_spark_is_set_as_on_one_machine() -> None:
    lines = (SPARK_CONF / "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    here = dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    placed = {"spark.driver.host", "spark.driver.bindAddress"}
    assert {name: here.get(name) for name in SMALL if name not in placed} == {
        name: value for name, value in SMALL.items() if name not in placed
    }
    for name in ("spark-master", "spark-worker", "scheduler"):
        assert "HEADRACE_SPARK_SECRET" in SERVICES[name]["environment"]["_SPARK_AUTH_SECRET"]
    assert (SPARK_CONF / "log4j2.properties").read_text(encoding="utf-8").partition("\n")[2] == LOG4J
