"""Airflow of one machine: the environment that makes its processes one stack."""

import json
from pathlib import Path

import psutil

from headrace.kafka.login import broker_folder
from headrace.settings import PROJECT, Settings
from local.stack.credentials import USER, broker_login, keys, password_file
from local.stack.processes import MARK
from local.stack.spark import spark_environment


def airflow_url(settings: Settings) -> str:
    """Where the web UI and the REST API are."""
    return f"http://127.0.0.1:{settings.airflow_port}"


def airflow_home(settings: Settings) -> Path:
    """Airflow's own folder: database, configuration, task logs."""
    return settings.home_path / "airflow"


SPARK = {"conn_type": "spark", "host": "local[*]", "extra": {"deploy-mode": "client"}}
"""The connection `spark_default`."""

SPARK_ARGUMENTS = ("--master", "local[*]", "--deploy-mode", "client")
"""What Airflow's provider makes of it for spark-submit."""

ENOUGH_MEMORY = 8 * 10**9
"""Bytes with which a machine keeps one driver warm by default; an idle one has up to 2 * 10**9 of them.

With twice as many it keeps two: a run has two stages for them, one right after the other."""


def warm_drivers(settings: Settings) -> int:
    """How many drivers the stack keeps warm."""
    if settings.warm_drivers is not None:
        return settings.warm_drivers
    return min(psutil.virtual_memory().total // ENOUGH_MEMORY, 2)


def headrace_environment(settings: Settings) -> dict[str, str]:
    """The project's own settings, with absolute paths: they hold in whatever folder a process runs."""
    return {
        "HEADRACE_HOME": str(settings.home_path),
        "HEADRACE_WAREHOUSE": str(settings.warehouse_path),
        "HEADRACE_STREAMS": str(settings.streams_path),
        "HEADRACE_SOURCE_ROOTS": ":".join(map(str, settings.source_root_paths)),
        "HEADRACE_AUDIT_SCHEDULE": settings.audit_schedule,
        "HEADRACE_MAINTAIN_SCHEDULE": settings.maintain_schedule,
        "HEADRACE_AIRFLOW_PORT": str(settings.airflow_port),
        "HEADRACE_KAFKA_PORT": str(settings.kafka_port),
        "HEADRACE_WARM_DRIVERS": str(warm_drivers(settings)),
        "HEADRACE_SPARK_UI": str(settings.spark_ui).lower(),
        # The report's pictures: matplotlib keeps a list of fonts, by default in the user's home.
        "MPLCONFIGDIR": str(settings.home_path / "cache" / "matplotlib"),
    }


def airflow_environment(settings: Settings) -> dict[str, str]:
    """What Airflow's processes and their tasks get, laid over the caller's environment.

    Holds secrets: it goes to processes, never into a file or a command line.
    """
    return {
        **spark_environment(settings),
        **headrace_environment(settings),
        **_configuration(settings),
        **_connections(settings),
        MARK: str(settings.home_path),
        # Airflow renames its processes; without this the new name is written over the mark in /proc.
        "SPT_NOENV": "1",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        # A warning of Airflow's own about plugins/.airflowignore, else the first line of every task log.
        "PYTHONWARNINGS": "ignore:GitWildMatchPattern:DeprecationWarning",
        "XDG_CACHE_HOME": str(settings.home_path / "cache"),  # libraries' caches, else in the user's home
        "no_proxy": "127.0.0.1,localhost",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _configuration(settings: Settings) -> dict[str, str]:
    home = airflow_home(settings)
    url = airflow_url(settings)
    secret = keys(settings.home_path)
    sections: dict[str, dict[str, object]] = {
        "CORE": {
            "DAGS_FOLDER": PROJECT / "dags",
            "PLUGINS_FOLDER": PROJECT / "plugins",
            "EXECUTOR": "headrace_airflow.executor.PreloadingExecutor",
            "PARALLELISM": 4,
            "LOAD_EXAMPLES": False,
            "DAGS_ARE_PAUSED_AT_CREATION": True,
            "EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "FERNET_KEY": secret["fernet"],
            "AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "SIMPLE_AUTH_MANAGER_ALL_ADMINS": False,
            "SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": password_file(settings.home_path),
            # Airflow masks by name, and does not know these of Kafka and of object stores.
            "SENSITIVE_VAR_CONN_NAMES": "jaas,ssl_key_pem,user_info,account_key",
        },
        # A minute to wait for the database's one writer: after SQLite's 5 s the API answered 500 when twenty
        # runs were triggered at once.
        "DATABASE": {"SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=60"},
        "API": {
            "HOST": "127.0.0.1",
            "PORT": settings.airflow_port,
            "BASE_URL": url,
            "WORKERS": 1,
            "SECRET_KEY": secret["session"],
            "ENABLE_SWAGGER_UI": False,
        },
        "API_AUTH": {"JWT_SECRET": secret["jwt"], "JWT_EXPIRATION_TIME": 8 * 3600},  # the default is a day
        "LOGGING": {"BASE_LOG_FOLDER": home / "logs"},
        "DAG_PROCESSOR": {"REFRESH_INTERVAL": 10, "BUNDLE_REFRESH_CHECK_INTERVAL": 5},
        "SCHEDULER": {
            # Found dead after 45 + 10 s, so that with a retry delay of some seconds a task that died with
            # its supervisor is running again within a minute and a half. The default is 300.
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT": 45,
            "TASK_INSTANCE_HEARTBEAT_SEC": 5,
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 10,
        },
        "USAGE_DATA_COLLECTION": {"ENABLED": False},
    }
    named = {
        f"AIRFLOW__{section}__{name}": str(value)
        for section, options in sections.items()
        for name, value in options.items()
    }
    return {"AIRFLOW_HOME": str(home), **named}


def _connections(settings: Settings) -> dict[str, str]:
    login = broker_login(broker_folder(settings.home_path))
    kafka = {"conn_type": "kafka", "extra": login.client(f"127.0.0.1:{settings.kafka_port}")}
    return {
        "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps(kafka),
        "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps(SPARK),
    }
