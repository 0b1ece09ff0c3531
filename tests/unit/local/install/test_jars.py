"""Jars: what is fetched is what is locked, or set-up stops with a sentence."""

import hashlib
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from headrace.errors import SetupFailed
from local.install.jars import LOCK, ROOTS, fetch_jars, locked_jars

GOOD = b"a jar"
SHA = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a Maven repository on this machine, which jgo's own settings name as the mirror."""
    root = tmp_path / "repository"
    jar = root / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(GOOD)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\ncentral = http://127.0.0.1:{server.server_port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield jar
    server.shutdown()
    server.server_close()


def lock_of(folder: Path, sha: str) -> Path:
    lock = folder / "jars.lock"
    lock.write_text(f"# comment\nspark org.example:thing:1.0 {sha}\nbroker org.example:other:2 {sha}\n")
    return lock


def test_a_jar_is_fetched_once_and_strays_are_swept(tmp_path: Path, repository: Path) -> None:
    home = tmp_path / "a home"
    (home / "jars" / "spark").mkdir(parents=True)
    (home / "jars" / "spark" / "of-an-older-lock.jar").touch()
    lock = lock_of(tmp_path, SHA)
    folder = fetch_jars(home, "spark", lock)
    assert [path.name for path in folder.glob("*.jar")] == ["thing-1.0.jar"]
    repository.unlink()
    assert fetch_jars(home, "spark", lock) == folder


def test_an_interrupted_fetch_is_repaired(tmp_path: Path, repository: Path) -> None:
    home = tmp_path / "home"
    folder = fetch_jars(home, "spark", lock_of(tmp_path, SHA))
    (folder / "complete").unlink()
    (folder / "thing-1.0.jar").write_bytes(GOOD[:2])
    half = home / "jars" / "maven" / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    half.parent.mkdir(parents=True)
    half.write_bytes(GOOD[:3])
    fetch_jars(home, "spark", lock_of(tmp_path, SHA))
    assert (folder / "thing-1.0.jar").read_bytes() == GOOD


def test_another_checksum_is_refused_and_nothing_kept(tmp_path: Path, repository: Path) -> None:
    repository.write_bytes(b"something else")
    with pytest.raises(SetupFailed, match=r"thing-1\.0\.jar has another sha256"):
        fetch_jars(tmp_path / "home", "spark", lock_of(tmp_path, SHA))
    assert list((tmp_path / "home").rglob("*.jar")) == []


def test_no_network_is_one_sentence_with_the_way_out(tmp_path: Path, repository: Path) -> None:
    repository.unlink()
    with pytest.raises(SetupFailed, match=r"Cannot fetch thing-1\.0\.jar .* run the same command again"):
        fetch_jars(tmp_path / "home", "spark", lock_of(tmp_path, SHA))


@pytest.mark.parametrize("name", sorted(ROOTS))
def test_the_lock_has_every_root_and_a_checksum_for_each_jar(name: str) -> None:
    jars = locked_jars(name)
    coordinates = {f"{jar.group}:{jar.artifact}:{jar.version}" for jar in jars}
    assert {root.removesuffix("!") for root in ROOTS[name]} <= coordinates
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert len({jar.artifact for jar in jars}) == len(jars)


def test_no_registry_is_named_in_the_lock() -> None:
    assert "://" not in LOCK.read_text(encoding="utf-8")
