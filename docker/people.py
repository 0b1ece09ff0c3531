"""The people of docker-compose.yaml: made, or given the passwords that .env holds now."""

import os

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

ROLES = {"admin": "Admin", "viewer": "Viewer"}
"""Who there is, and as what; an Admin makes others in the web UI (Security > List Users)."""


def main() -> None:
    """Make them; somebody whose role was changed in the web UI keeps it."""
    with get_application_builder() as builder:
        security = builder.sm
        for name, role in ROLES.items():
            password = os.environ[f"HEADRACE_{name.upper()}_PASSWORD"]
            known = security.find_user(username=name)
            if known:
                done = security.reset_password(known.id, password)
            else:
                as_role = security.find_role(role)
                done = security.add_user(name, name, "of .env", f"{name}@localhost", as_role, password)
            if not done:
                raise SystemExit(f"{name} could not be made")


if __name__ == "__main__":
    main()
