"""What plugins/headrace_plugin.py registers with Airflow."""

from typing import Any

import pytest

from headrace.settings import PROJECT


def new_plugin() -> Any:
    from airflow.plugins_manager import AirflowPlugin  # noqa: PLC0415

    namespace: dict[str, Any] = {}
    exec((PROJECT / "plugins" / "headrace_plugin.py").read_text("utf-8"), namespace)
    kind = namespace["HeadracePlugin"]
    assert issubclass(kind, AirflowPlugin)
    return kind()


def test_plugins_register_by_name_and_every_page_asks_who_is_there() -> None:
    plugin = new_plugin()
    assert plugin.name == "headrace"
    (mounted,) = plugin.fastapi_apps
    assert mounted["url_prefix"] == "/headrace"
    # Airflow guards no route of a plugin by itself; what an anonymous caller gets is seen in tests/e2e.
    assert [route.path for route in mounted["app"].routes if not getattr(route, "dependencies", None)] == []


@pytest.mark.parametrize(
    ("database", "middlewares"),
    [("sqlite:////x/airflow.db", ["OneWriter"]), ("postgresql+psycopg2://a@127.0.0.1/b", [])],
)
def test_requests_that_write_take_turns_on_sqlite_alone(
    database: str, middlewares: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database)
    assert [each["middleware"].__name__ for each in new_plugin().fastapi_root_middlewares] == middlewares
