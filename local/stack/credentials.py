"""The stack's generated secrets: made once, in files that only their owner reads."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from headrace.files import write_whole
from headrace.kafka.login import Login, login_file

USER = "admin"
"""The name to log in with."""


def keys(home: Path) -> dict[str, str]:
    """Airflow's keys (`fernet`, `jwt`, `session`), from `home`/secrets.json."""
    return _kept(
        home / "secrets.json",
        lambda: {
            "fernet": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "jwt": secrets.token_urlsafe(48),
            "session": secrets.token_urlsafe(48),
        },
    )


def password_file(home: Path) -> Path:
    """The file with the web UI's password, in the form that Airflow's simple auth manager reads."""
    path = home / "passwords.json"
    _kept(path, lambda: {USER: secrets.token_urlsafe(18)})
    return path


def password(home: Path) -> str:
    """The password of USER."""
    return str(json.loads(password_file(home).read_text(encoding="utf-8"))[USER])


def broker_login(folder: Path) -> Login:
    """The log-in of the broker in `folder`."""
    return Login(_broker_passwords(folder)["password"])


def controller_password(folder: Path) -> str:
    """What the broker in `folder` logs in to its controller with."""
    return _broker_passwords(folder)["controller"]


def _broker_passwords(folder: Path) -> dict[str, str]:
    made = ("password", "controller")
    return _kept(login_file(folder), lambda: {name: secrets.token_urlsafe(24) for name in made})


def _kept(path: Path, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(make()), mode=0o600)
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept
