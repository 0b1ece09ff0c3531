"""The stack's secrets: made once, read by their owner only."""

from pathlib import Path

from local.stack.credentials import keys, password, password_file


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    assert keys(tmp_path) == keys(tmp_path)
    assert password(tmp_path) == password(tmp_path)
    for file in (tmp_path / "secrets.json", password_file(tmp_path)):
        assert file.stat().st_mode & 0o777 == 0o600
