"""A folder whose files come one after the other: each is published once, whatever happens to the others."""

import gzip
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from headrace.contract.model import Contract
from headrace.errors import SourceError, SourceMissing
from headrace.publish import publishing
from headrace.publish.sources.opening import OpenSource, open_source
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.slices import fix_slice
from local.stack.broker import Broker
from testbed.stages import run_in_worker, succeeded
from testbed.streams import Stream, make_stream
from testbed.waiting import until_nothing_is_open
from tests.integration.headrace.publish.conftest import Publisher

LONG_AGO = 1_700_000_000


@dataclass(frozen=True)
class Folder:
    """The stream, its publisher, and the folder that files come into."""

    stream: Stream
    publisher: Publisher
    folder: Path

    def write(self, name: str, rows: int, at_rest: bool = True) -> None:
        """A gzipped file of so many readings; the first of them says which file it is."""
        lines = (f"2024-01-{number // 1440 % 28 + 1:02},{name}:{number}" for number in range(rows))
        self._put(name, "".join(f"{line}\n" for line in ["time,v", *lines]), at_rest)

    def _put(self, name: str, text: str, at_rest: bool = True) -> None:
        file = self.folder / name
        file.write_bytes(gzip.compress(text.encode()))
        if at_rest:
            os.utime(file, (LONG_AGO, LONG_AGO))

    def values(self) -> Counter[str]:
        """How often each file's rows are in the topic."""
        texts = [(message.value() or b"").decode() for message in self.publisher.visible()]
        return Counter(text.split('"v":"')[1].split(":")[0] for text in texts)

    def states(self) -> dict[str, str]:
        return {Path(row.source).name: row.state for row in self.publisher.publications()}


@pytest.fixture
def folder(broker: Broker, tmp_path: Path) -> Folder:
    coming = tmp_path / "in"
    coming.mkdir()
    definition = {
        "stream": "coming",
        "source": {"kind": "csv", "path": str(coming / "*.csv.gz"), "settle": "PT1M"},
        "topic": {"name": "coming", "partitions": 2},
        "record": {
            "event_time": {"field": "time", "format": "yyyy-MM-dd"},
            "signals": [{"name": "v", "fields": ["v"], "type": "string"}],
        },
    }
    stream = make_stream(tmp_path, broker.config, definition)
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=str(coming))
    return Folder(stream, Publisher(stream.contract, settings, stream.config), coming)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which files were opened."""
    names: list[str] = []

    @contextmanager
    def noting(settings: Settings, path: Path, file: Path, **more: Any) -> Iterator[OpenSource]:
        names.append(path.name)
        with open_source(settings, path, file, **more) as source:
            yield source

    monkeypatch.setattr(publishing, "open_source", noting)
    return names


def test_new_files_are_published_run_by_run_and_accounted_for(folder: Folder, opened: list[str]) -> None:
    said: list[str] = []
    with pytest.raises(SourceMissing, match=r"in/\*\.csv\.gz: no file there; put one there"):
        folder.publisher.publish("0")
    folder.write("b.csv.gz", 30)
    folder.write("a.csv.gz", 20)
    folder.write("c.csv.gz", 10, at_rest=False)
    first = folder.publisher.publish("1", report=said.append)
    assert (first.rows, first.published) == (50, 50)
    assert opened == ["a.csv.gz", "b.csv.gz"]
    assert said[-1].endswith("left for the next run: " + str(folder.folder / "c.csv.gz"))

    folder.write("c.csv.gz", 12)
    opened.clear()
    assert folder.publisher.publish("2").published == 12
    assert opened == ["c.csv.gz"]
    opened.clear()
    nothing = folder.publisher.publish("3", report=said.append)
    assert (nothing.published, opened) == (0, ["c.csv.gz"])  # with nothing new one file is looked at
    assert sum(nothing.until.values()) >= 62
    assert any("0 of 3 files are new or have changed" in line for line in said)
    assert folder.values() == {"a.csv.gz": 20, "b.csv.gz": 30, "c.csv.gz": 12}

    settings = folder.publisher.settings
    warehouse = folder.stream.warehouse(settings.warehouse_path)
    fix_slice(warehouse, folder.stream.slice_to_end())
    succeeded(run_in_worker(folder.stream.job(settings.warehouse_path)))
    entry = reconcile(folder.stream.contract, settings, folder.stream.config, "a run")
    assert entry.balanced
    assert sorted((Path(each.source).name, each.rows, each.landed) for each in entry.sources) == [
        ("a.csv.gz", 20, 20),
        ("b.csv.gz", 30, 30),
        ("c.csv.gz", 12, 12),
    ]


def test_a_killed_run_goes_on_in_the_file_in_which_it_was(folder: Folder, opened: list[str]) -> None:
    for name in ("a", "b", "c"):
        folder.write(f"{name}.csv.gz", 15_000)
    folder.publisher.killed_at("publish.after_commit:3")  # of two transactions a file
    until_nothing_is_open(folder.stream.config, folder.publisher.topic)
    assert folder.states() == {"a.csv.gz": "published", "b.csv.gz": "publishing"}
    again = folder.publisher.publish("again")
    assert again.published == 20_000
    assert folder.values() == {"a.csv.gz": 15_000, "b.csv.gz": 15_000, "c.csv.gz": 15_000}
    assert set(folder.states().values()) == {"published"}
    assert sum(again.until.values()) >= 45_000


def test_a_file_that_is_refused_keeps_no_other_back(folder: Folder, opened: list[str]) -> None:
    folder.write("a.csv.gz", 5)
    folder._put("b.csv.gz", "time,v\n2024-01-01\n")
    folder.write("c.csv.gz", 7)
    with pytest.raises(SourceError, match=r"^\[HR201\] .*b\.csv\.gz, line 2, field v: is missing"):
        folder.publisher.publish("1")
    assert folder.values() == {"a.csv.gz": 5, "c.csv.gz": 7}
    folder.write("b.csv.gz", 6)
    opened.clear()
    assert folder.publisher.publish("2").published == 6
    assert opened == ["b.csv.gz"]


def test_a_file_that_is_written_to_while_it_is_read_is_left(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a.csv.gz", 5)
    folder.write("b.csv.gz", 6)
    check = publishing.check_source

    def then_write(rows: Any, contract: Contract) -> int:
        count = check(rows, contract)
        if rows.source.path.name == "a.csv.gz":
            with (folder.folder / "a.csv.gz").open("ab") as writing:
                add_rows(writing)
        return count

    monkeypatch.setattr(publishing, "check_source", then_write)
    said: list[str] = []
    assert folder.publisher.publish("1", report=said.append).published == 6
    assert said[-1].endswith("left for the next run: " + str(folder.folder / "a.csv.gz"))
    assert folder.states() == {"b.csv.gz": "published"}
    os.utime(folder.folder / "a.csv.gz", (LONG_AGO, LONG_AGO))
    assert folder.publisher.publish("2").published == 0  # again, and nothing else is new
    monkeypatch.setattr(publishing, "check_source", check)
    os.utime(folder.folder / "a.csv.gz", (LONG_AGO, LONG_AGO))
    assert folder.publisher.publish("3").published == 9


def add_rows(writing: IO[bytes]) -> None:
    writing.write(gzip.compress(b"2024-01-28,a.csv.gz:more\n2024-01-28,a.csv.gz:more still\n"))
