"""The environment of the embedded Airflow."""

from headrace.settings import Settings, load_settings
from local.install.jars import fetch_jars
from local.stack.airflow import airflow_environment


def test_airflow_is_told_to_stay_on_the_loopback_with_a_login(settings: Settings) -> None:
    settings.home_path.mkdir()
    (settings.home_path / "jars").symlink_to(fetch_jars(load_settings().home_path, "spark").parent)
    environment = airflow_environment(settings)
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"
    assert int(environment["AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME"]) == 8 * 3600
    assert environment["HEADRACE_HOME"] == str(settings.home_path)
