"""The log-in of the embedded broker: one user, whose password is in a file that only its owner reads."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.settings import Settings

USER = "headrace"
"""The only user of the embedded broker; it may do everything there, and nobody else anything."""

MECHANISM = "SCRAM-SHA-512"


@dataclass(frozen=True)
class Login:
    """A password of `USER`."""

    password: str

    def client(self, bootstrap: str) -> dict[str, Any]:
        """librdkafka's configuration, as the extra of an Airflow connection has it; it holds the password."""
        return {
            "bootstrap.servers": bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": MECHANISM,
            "sasl.username": USER,
            "sasl.password": self.password,
        }


def login_file(folder: Path) -> Path:
    """Where the broker in `folder` keeps its log-in."""
    return folder / "login.json"


def broker_folder(home: Path) -> Path:
    """Where the embedded broker of `home` keeps everything."""
    return home / "broker"


def embedded_broker(settings: Settings) -> dict[str, Any]:
    """The librdkafka configuration of the embedded broker; without a log-in where no broker was ever made."""
    bootstrap = f"127.0.0.1:{settings.kafka_port}"
    file = login_file(broker_folder(settings.home_path))
    if not file.exists():
        return {"bootstrap.servers": bootstrap}
    return Login(json.loads(file.read_text(encoding="utf-8"))["password"]).client(bootstrap)
