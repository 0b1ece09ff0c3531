"""What docker-compose.yaml starts, started natively: a run of the wind turbine on its standalone cluster."""

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import duckdb
import httpx
import pytest
from deltalake import DeltaTable

from headrace.settings import PROJECT, load_settings
from local.install.jars import ROOTS, fetch_jars
from local.install.java import java_home
from local.install.pyspark import spark_home
from local.stack.rest_api import Airflow
from testbed.compose_twin import COMPOSE, Twin
from testbed.postgres import server_binaries
from testbed.waiting import awaited

DAG = "wind_turbine"

pytestmark = pytest.mark.timeout(1800)


def secrets_of_env() -> dict[str, str]:
    """A .env as .env.example asks for it; the admin's password is one that a shell might stumble over."""
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^(HEADRACE_\w+)=$", example, flags=re.MULTILINE)
    return {name: secrets.token_urlsafe(48) for name in names} | {
        "HEADRACE_FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "HEADRACE_ADMIN_PASSWORD": f'"{secrets.token_urlsafe(16)}" %s\\',
    }


@pytest.fixture(scope="module")
def secret() -> dict[str, str]:
    return secrets_of_env()


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory, secret: dict[str, str]) -> Iterator[Twin]:
    """All services, healthy in the order that the file asks for."""
    postgres = server_binaries()
    if postgres is None:
        pytest.skip("no PostgreSQL server on this machine: install the package `postgresql`")
    home = load_settings().home_path
    jars = [fetch_jars(home, name) for name in ROOTS]
    twin = Twin(tmp_path_factory.mktemp("compose"), jars[0].parent, java_home(home), postgres, secret)
    try:
        twin.up()
        yield twin
    finally:
        twin.down()


@pytest.fixture(scope="module")
def airflow(twin: Twin, secret: dict[str, str]) -> Airflow:
    client = Airflow(f"http://127.0.0.1:{twin.port('8080')}", "admin", secret["HEADRACE_ADMIN_PASSWORD"])
    client.login()
    return client


@pytest.fixture(scope="module")
def run_id(airflow: Airflow) -> str:
    """A run of the wind turbine, ended."""
    awaited(lambda: airflow.dag(DAG), 120, every=0.5)
    airflow.unpause(DAG)
    run_id = airflow.trigger(DAG)
    awaited(lambda: airflow.run(DAG, run_id)["state"] in {"success", "failed"}, 1200, every=0.5)
    return run_id


def test_every_service_that_stays_is_running(twin: Twin) -> None:
    ended = [name for name in COMPOSE if not twin.is_running(name)]
    assert sorted(ended) == ["airflow-init", "kafka-login"]


def test_the_run_succeeds_and_lands_every_row(airflow: Airflow, run_id: str, twin: Twin) -> None:
    states = {task["task_id"]: task["state"] for task in airflow.task_instances(DAG, run_id)}
    assert set(states.values()) == {"success"}, states
    readings = DeltaTable(twin.folder / "state/warehouse/wind_turbine/readings").to_pyarrow_dataset()
    source = str(PROJECT / "include/data/wind_turbine/T1.csv")
    (rows,) = duckdb.execute("SELECT count(*) FROM read_csv(?, all_varchar = true)", [source]).fetchall()
    assert readings.count_rows() == rows[0]


def test_both_spark_stages_ran_on_the_standalone_cluster(run_id: str, twin: Twin) -> None:
    master = httpx.get(f"http://127.0.0.1:{twin.port('8081')}/json/").json()
    assert sorted(app["name"] for app in master["completedapps"]) == [f"analyse:{DAG}", f"land:{DAG}"]
    assert {app["state"] for app in master["completedapps"]} == {"FINISHED"}


def test_nothing_is_written_where_the_images_user_may_not(run_id: str, twin: Twin) -> None:
    """In the image the working directory and pyspark's are root's, and the processes are not."""
    assert list(twin.image.iterdir()) == []
    assert not (spark_home() / "work").exists()
