"""The stack's secrets: made once, read by their owner only."""

from pathlib import Path

from headrace.kafka.login import embedded_broker, login_file
from headrace.settings import Settings
from local.stack.credentials import broker_login, controller_password, keys, password, password_file


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    assert keys(tmp_path) == keys(tmp_path)
    assert password(tmp_path) == password(tmp_path)
    assert broker_login(tmp_path) == broker_login(tmp_path)
    assert len({broker_login(tmp_path).password, controller_password(tmp_path), password(tmp_path)}) == 3
    for file in (tmp_path / "secrets.json", password_file(tmp_path), login_file(tmp_path)):
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_core_finds_the_log_in_that_the_stack_has_made(settings: Settings) -> None:
    before = embedded_broker(settings)
    assert "sasl.password" not in before
    login = broker_login(settings.home_path / "broker")
    assert embedded_broker(settings) == login.client(before["bootstrap.servers"])
