"""Airflow's REST API, as far as the stack and its demonstration need it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from headrace.errors import StackUnhealthy


class Airflow:
    """A logged-in client of the REST API at `url`; ids of DAGs, runs and tasks are quoted into the path."""

    def __init__(self, url: str, user: str, password: str) -> None:
        # No trust in the environment: a proxy from there would be asked for 127.0.0.1.
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._login = {"username": user, "password": password}

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def login(self) -> None:
        """Fetch a token.

        Raises:
            StackUnhealthy: the API refuses the password or does not answer.
        """
        with _naming_failure("log in"):
            answer = self._http.post("/auth/token", json=self._login)
            answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def health(self) -> dict[str, dict[str, Any]]:
        """Each component's health as Airflow sees it; needs no login, empty when nothing answers."""
        try:
            answer = self._http.get("/api/v2/monitor/health", timeout=5)
            answer.raise_for_status()
            return {name: status or {} for name, status in answer.json().items()}
        except (httpx.HTTPError, ValueError):
            return {}

    def get(self, path: str, **query: Any) -> Any:
        """What the API answers at a path below /api/v2.

        Raises:
            StackUnhealthy: it refuses, or does not answer.
        """
        with _naming_failure(f"read {path}"):
            answer = self._http.get(f"/api/v2{path}", params=query)
            answer.raise_for_status()
            return answer.json()

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """A DAG; None while it is not parsed."""
        found = self.get("/dags", dag_id_pattern=dag_id, limit=100)["dags"]
        return next((dag for dag in found if dag["dag_id"] == dag_id), None)

    def import_errors(self) -> list[dict[str, Any]]:
        """The DAG files that could not be imported, with `filename` and `stack_trace`."""
        errors: list[dict[str, Any]] = self.get("/importErrors", limit=100)["import_errors"]
        return errors

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs be scheduled."""
        with _naming_failure(f"unpause {dag_id}"):
            self._http.patch(f"/api/v2/dags/{_id(dag_id)}", json={"is_paused": False}).raise_for_status()

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run and return its id."""
        with _naming_failure(f"trigger {dag_id}"):
            # The key logical_date must be there, null for a manual run.
            answer = self._http.post(
                f"/api/v2/dags/{_id(dag_id)}/dagRuns", json={"logical_date": None, "conf": conf or {}}
            )
            answer.raise_for_status()
            return str(answer.json()["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """A run; its `state` is queued, running, success or failed."""
        run: dict[str, Any] = self.get(f"/dags/{_id(dag_id)}/dagRuns/{_id(run_id)}")
        return run

    def tasks(self, dag_id: str) -> list[dict[str, Any]]:
        """The DAG's tasks, with `task_id` and `downstream_task_ids`."""
        tasks: list[dict[str, Any]] = self.get(f"/dags/{_id(dag_id)}/tasks")["tasks"]
        return tasks

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """A run's task instances."""
        path = f"/dags/{_id(dag_id)}/dagRuns/{_id(run_id)}/taskInstances"
        found: list[dict[str, Any]] = self.get(path, limit=100)["task_instances"]
        return found

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str) -> Any:
        """One value of a task's XCom."""
        path = (
            f"/dags/{_id(dag_id)}/dagRuns/{_id(run_id)}/taskInstances/{_id(task_id)}/xcomEntries/{_id(key)}"
        )
        return self.get(path)["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int) -> list[str]:
        """The lines of one try of a task."""
        path = f"/dags/{_id(dag_id)}/dagRuns/{_id(run_id)}/taskInstances/{_id(task_id)}/logs/{attempt}"
        content = self.get(path, full_content=True)["content"]
        return [text for line in content for text in _log_lines(line)]


def _log_lines(line: Any) -> Iterator[str]:
    if not isinstance(line, dict):
        yield str(line)
    elif not str(line["event"]).startswith(("::group::", "::endgroup::")):
        yield str(line["event"])
        yield from (f"{error['exc_type']}: {error['exc_value']}" for error in line.get("error_detail") or ())


def _id(identifier: str) -> str:
    return quote(identifier, safe="")


@contextmanager
def _naming_failure(what: str) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPStatusError as refused:
        raise StackUnhealthy(
            f"Airflow's API refused to {what}: {refused.response.status_code} {refused.response.text[:500]}"
        ) from refused
    except httpx.HTTPError as unreachable:
        raise StackUnhealthy(
            f"Airflow's API did not answer to {what} ({type(unreachable).__name__}): look at `make status`."
        ) from unreachable
