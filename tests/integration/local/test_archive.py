"""The class-data archive: set-up goes on without it, so only this tells when it can no longer be made."""

from headrace.settings import load_settings
from local.stack.spark import prepare_archive


def test_the_archive_of_this_machine_can_be_made() -> None:
    home = load_settings().home_path
    assert prepare_archive(home), (home / "logs" / "archive.log").read_text(errors="replace")[-2000:]
