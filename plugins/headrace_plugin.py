"""Registers Headrace with Airflow: a task's link to its report, the note of a run, pages behind the login."""

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from headrace_airflow.ui import run_note
from headrace_airflow.ui.links import PREFIX, ReportLink, SparkWebUI


class HeadracePlugin(AirflowPlugin):
    """What Airflow lists under Admin > Plugins."""

    name = "headrace"
    operator_extra_links = [ReportLink(), SparkWebUI()]  # noqa: RUF012  # Airflow's own shape of a plugin
    listeners = [run_note]  # noqa: RUF012  # as above

    @cached_property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]  # an attribute there; asked for by the web server only
        """The pages; every task loads this plugin too, and must not pay 1.3 s for a web server's imports."""
        from headrace_airflow.ui.pages import pages

        return [{"app": pages, "url_prefix": PREFIX, "name": "headrace"}]

    @cached_property
    def fastapi_root_middlewares(self) -> list[Any]:  # type: ignore[override]  # an attribute there; only the web server asks
        """Turns for requests that write, where Airflow's database is SQLite."""
        from airflow.configuration import conf

        from headrace_airflow.ui.one_writer import OneWriter

        if not conf.get_mandatory_value("database", "sql_alchemy_conn").startswith("sqlite"):
            return []
        return [{"middleware": OneWriter, "name": "headrace: one writer"}]
