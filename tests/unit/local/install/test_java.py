"""Java is found, or one sentence says what to do."""

from pathlib import Path

import pytest

from headrace.errors import SetupFailed
from local.install.java import java_home, java_version
from local.stack.ports import free_port


def fake_java(home: Path, version: str) -> Path:
    binary = home / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    binary.chmod(0o755)
    return home


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, nobody)


@pytest.mark.parametrize(
    ("said", "feature"),
    [("17.0.15", 17), ("21", 21), ("25-ea", 25), ("1.8.0_392", 8), ("11.0.2", 11), ("nonsense", None)],
)
def test_versions_are_read(tmp_path: Path, said: str, feature: int | None) -> None:
    assert java_version(fake_java(tmp_path / "java", said)) == feature


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = fake_java(tmp_path / "chosen", "21.0.1")
    other = fake_java(tmp_path / "other", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(chosen))
    monkeypatch.setenv("PATH", str(other / "bin"), prepend=":")
    assert java_home(tmp_path) == chosen


def test_the_path_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    found = fake_java(tmp_path / "on the path", "17.0.1")
    monkeypatch.setenv("PATH", str(found / "bin"), prepend=":")
    assert java_home(tmp_path) == found


def test_an_old_or_empty_java_home_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "old", "11.0.2")))
    with pytest.raises(SetupFailed, match=r"old', which is Java 11\. Install a Java runtime of version 17"):
        java_home(tmp_path)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "empty"))
    with pytest.raises(SetupFailed, match=r"no bin/java that runs\. Install"):
        java_home(tmp_path)


def test_no_java_and_no_network_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(
        SetupFailed, match=r"there is no java on the path, and none could be fetched\. Install"
    ):
        java_home(tmp_path / "home")
