"""The settings, all from the environment, all in one place."""

from functools import cached_property
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from headrace.errors import SettingsError

PROJECT = Path(__file__).resolve().parents[2]
"""The checkout: relative settings and the relative paths of contracts start here."""


class Settings(BaseSettings):
    """What the environment says; each field is the variable `HEADRACE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", frozen=True, env_ignore_empty=True)

    warehouse: Path = Field(Path("warehouse"), description="where the Delta tables are")
    home: Path = Field(
        Path(".headrace"), description="all local state: broker, Airflow, jars, spool, logs, secrets"
    )
    streams: Path = Field(Path("include/streams"), description="where the contracts are")
    source_roots: str = Field(
        "include/data",
        description="folders that sources may be read from, separated by ':'; HEADRACE_HOME is never one",
    )
    audit_schedule: str = Field(
        "@weekly", description="when the DAG `audit` counts everything: cron or preset; `never`: by hand only"
    )
    maintain_schedule: str = Field(
        "@daily", description="when the DAG `maintain_tables` runs: cron or preset; `never`: by hand only"
    )
    keep_table_log_days: int = Field(
        30, ge=7, le=3650, description="how long tables' logs keep commits: so far back `restore` can go"
    )
    keep_spool_days: int | None = Field(
        None, ge=1, description="how long copies of published sources are kept; not set: for ever"
    )
    keep_report_days: int | None = Field(
        None, ge=1, description="how long runs' reports are kept; not set: for ever"
    )
    keep_log_days: int | None = Field(
        None, ge=1, description="how long files in HEADRACE_HOME/logs are kept; not set: for ever"
    )
    airflow_port: int = Field(8080, ge=1, le=65535, description="port of the web UI and REST API")
    kafka_port: int = Field(9092, ge=1, le=65535, description="port of the embedded broker")
    warm_drivers: int | None = Field(
        None,
        ge=0,
        le=8,
        description="Spark drivers kept warm on this host; not set: 1 with 8 GB of memory, 2 with 16 GB",
    )

    spark_ui: bool = Field(
        False,
        description="Spark's own web UI of each running driver, on the loopback; it asks nobody for a login",
    )

    def _absolute(self, path: Path) -> Path:
        return path if path.is_absolute() else PROJECT / path

    @cached_property
    def warehouse_path(self) -> Path:
        """Absolute path of the warehouse."""
        if "://" in str(self.warehouse) or str(self.warehouse).split("/", 1)[0].endswith(":"):
            raise SettingsError(
                f"HEADRACE_WAREHOUSE is {str(self.warehouse)!r}: object stores need a log store with "
                "put-if-absent, which this version does not configure. Give a path of a file system."
            )
        return self._absolute(self.warehouse)

    @cached_property
    def home_path(self) -> Path:
        """Absolute path of the local state."""
        return self._absolute(self.home)

    @cached_property
    def streams_path(self) -> Path:
        """Absolute path of the contracts' folder."""
        return self._absolute(self.streams)

    @cached_property
    def source_root_paths(self) -> tuple[Path, ...]:
        """Absolute paths of the folders that sources may be read from."""
        return tuple(self._absolute(Path(root)).resolve() for root in self.source_roots.split(":") if root)

    @property
    def audit_cron(self) -> str | None:
        """The schedule of the DAG `audit` as Airflow takes it."""
        return None if self.audit_schedule == "never" else self.audit_schedule

    @property
    def maintain_cron(self) -> str | None:
        """The schedule of the DAG `maintain_tables` as Airflow takes it."""
        return None if self.maintain_schedule == "never" else self.maintain_schedule

    @cached_property
    def spool_path(self) -> Path:
        """Where sources are kept under their sha256 while and after they are published."""
        return self.home_path / "spool"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: a variable does not fit; the message names it.
    """
    try:
        return Settings()
    except ValidationError as broken:
        wrong = "; ".join(
            f"HEADRACE_{str(error['loc'][0]).upper()}={error['input']!r}: {error['msg']}"
            for error in broken.errors()
        )
        raise SettingsError(f"{wrong}. Correct the environment variable and start again.") from broken
