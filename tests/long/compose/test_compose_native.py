"""What docker-compose.yaml starts, started natively: a run of the wind turbine on its standalone cluster."""

import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote

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
    """A .env as .env.example asks for it; the passwords are such as a shell might stumble over."""
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^(HEADRACE_\w+)=$", example, flags=re.MULTILINE)
    return {name: secrets.token_urlsafe(48) for name in names} | {
        "HEADRACE_FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        **{f"HEADRACE_{who}_PASSWORD": f'"{secrets.token_urlsafe(16)}" %s\\' for who in ("ADMIN", "VIEWER")},
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
def viewer(twin: Twin, secret: dict[str, str], run_id: str) -> httpx.Client:
    """Who may look, logged in."""
    url = f"http://127.0.0.1:{twin.port('8080')}"
    login = {"username": "viewer", "password": secret["HEADRACE_VIEWER_PASSWORD"]}
    told = httpx.post(f"{url}/auth/token", json=login, trust_env=False).raise_for_status().json()
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    return httpx.Client(base_url=url, headers=bearer, trust_env=False)


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


def test_a_viewer_sees_runs_and_reports(viewer: httpx.Client, run_id: str) -> None:
    assert viewer.get(f"/api/v2/dags/{DAG}/dagRuns/{quote(run_id, safe='')}").status_code == 200
    assert viewer.get(f"/headrace/reports/{DAG}", params={"run_id": run_id}).status_code == 200


def test_a_viewer_triggers_clears_and_allows_nothing(viewer: httpx.Client, run_id: str) -> None:
    for path, asked in (
        (f"dags/{DAG}/dagRuns", {"logical_date": None, "conf": {}}),
        (f"dags/{DAG}/clearTaskInstances", {"dag_run_id": run_id, "dry_run": False}),
        ("variables", {"key": f"headrace_accept_loss_{DAG}", "value": run_id}),
    ):
        assert viewer.post(f"/api/v2/{path}", json=asked).status_code == 403, path
    assert viewer.patch(f"/api/v2/dags/{DAG}", json={"is_paused": True}).status_code == 403


def test_a_token_ends_with_the_working_day(viewer: httpx.Client) -> None:
    _, claims, _ = viewer.headers["Authorization"].split(".")
    told = json.loads(urlsafe_b64decode(claims + "==="))
    assert told["exp"] - told["iat"] == 8 * 3600


def test_who_is_not_logged_in_sees_nothing(twin: Twin, run_id: str) -> None:
    for path in ("/api/v2/dags", f"/headrace/reports/{DAG}?run_id=x"):
        url = f"http://127.0.0.1:{twin.port('8080')}{path}"
        assert httpx.get(url, trust_env=False).status_code == 401, path


def test_nothing_is_written_where_the_images_user_may_not(run_id: str, twin: Twin) -> None:
    """In the image the working directory and pyspark's are root's, and the processes are not."""
    assert list(twin.image.iterdir()) == []
    assert not (spark_home() / "work").exists()
