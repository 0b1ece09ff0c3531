"""Where set-up puts what it makes."""

import runpy
from pathlib import Path

import pytest

from headrace.settings import PROJECT, load_settings


@pytest.mark.parametrize(
    ("said", "home"),
    [(None, PROJECT / ".headrace"), ("", PROJECT / ".headrace"), ("/else where", Path("/else where"))],
)
def test_set_up_and_settings_agree_on_the_home(
    said: str | None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADRACE_HOME", raising=False)
    if said is not None:
        monkeypatch.setenv("HEADRACE_HOME", said)
    assert runpy.run_path(str(PROJECT / "local" / "install" / "setup.py"))["HOME"] == home
    assert load_settings().home_path == home
