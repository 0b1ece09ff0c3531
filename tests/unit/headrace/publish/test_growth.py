"""What of a source is published already: whole publications that are its first bytes, to the end of a row."""

import hashlib
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.contract.model import Contract
from headrace.contract.source import CsvSource, JsonlSource
from headrace.publish.growth import Base, goes_on_behind, line_of
from headrace.publish.publications import Publication
from headrace.publish.sources.opening import OpenSource
from headrace.publish.sources.rows import count, source_rows
from headrace.publish.spool import Spooled, is_spooled, spool_source
from testbed.parse_cases import contract

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOPIC_ID = "the topic's id"


@dataclass
class Turbine:
    """A file, its contract, its spool and its publications."""

    file: Path
    contract: Contract
    known: list[Publication] = field(default_factory=list)

    @property
    def spool(self) -> Path:
        return self.file.parent / "spool"

    def base(self, content: bytes) -> Base | None:
        """Write the file; what it goes on behind."""
        self.file.write_bytes(content)
        with io.FileIO(self.file) as reading:
            file = OpenSource(self.file, reading)
            return goes_on_behind(file, self.contract, self.known, TOPIC_ID, self.spool)

    def spooled(self, content: bytes) -> tuple[Base | None, Spooled]:
        base = self.base(content)
        source = self.contract.own_source
        assert source
        with io.FileIO(self.file) as reading:
            spooled = spool_source(
                OpenSource(self.file, reading),
                self.spool,
                lambda read: count(source_rows(read, source)).rows,
                base.prefix if base else None,
            )
        return base, spooled

    def publish(self, content: bytes, **more: Any) -> Publication:
        """Note what publishing the file would."""
        base, spooled = self.spooled(content)
        before = base.publication.rows if base else 0
        source = self.contract.own_source
        assert source
        row: dict[str, Any] = {
            "publication": f"p{len(self.known)}",
            "source": str(self.file),
            "sha256": spooled.sha256,
            "size": spooled.size,
            "rows": before + spooled.rows,
            "first": before + 1,
            "continues": base.publication.publication if base else None,
            "own_sha256": spooled.own_sha256,
            "topic": self.contract.topic.name,
            "topic_id": TOPIC_ID,
            "run_id": "a run",
            "state": "published",
            "started": NOON + timedelta(minutes=len(self.known)),
            "finished": NOON + timedelta(minutes=len(self.known) + 1),
            "options": source.model_dump_json(),
        }
        self.known.append(Publication.model_validate(row | more))
        return self.known[-1]


@pytest.fixture
def turbine(tmp_path: Path) -> Turbine:
    file = tmp_path / "in.csv"
    own = contract(
        source={"kind": "csv", "path": str(file)},
        record={
            "event_time": {"field": "t", "format": "yyyy"},
            "identity": ["t"],
            "signals": [{"name": "v", "fields": ["v"]}],
        },
    )
    return Turbine(file, own)


@pytest.fixture
def without_identity(turbine: Turbine) -> Turbine:
    record = turbine.contract.record.model_copy(update={"identity": None})
    turbine.contract = turbine.contract.model_copy(update={"record": record})
    return turbine


A, B, C = b"t,v\n2001,1\n", b"2002,2\n2003,3\n", b"2004,4\n"


def test_a_file_that_grows_is_spooled_once_and_its_rows_go_on(turbine: Turbine) -> None:
    first, second, third = (turbine.publish(each) for each in (A, A + B, A + B + C))
    assert [(each.first, each.rows) for each in turbine.known] == [(1, 1), (2, 3), (4, 4)]
    copies = [(turbine.spool / each.copy_sha256).read_bytes() for each in turbine.known]
    assert copies == [A, b"t,v\n" + B, b"t,v\n" + C]
    assert third.sha256 == hashlib.sha256(A + B + C).hexdigest()
    assert line_of(third, turbine.known) == [first, second, third]
    assert line_of(first, turbine.known) == [first]


@pytest.mark.parametrize(
    ("first", "then", "copy"),
    [
        (A[:-1], A + B, b"t,v\n" + B),
        (A[:-1], b"t,v\n2001,1\r\n" + B, b"t,v\n" + B),
        (b't,"v\n"\n2001,1\n', b't,"v\n"\n2001,1\n' + C, b't,"v\n"\n' + C),
        (b"\xef\xbb\xbft,v\n2001,1\n", b"\xef\xbb\xbft,v\n2001,1\n" + C, b"\xef\xbb\xbft,v\n" + C),
        (b"t,v\r\n2001,1\r\n", b"t,v\r\n2001,1\r\n" + C, b"t,v\r\n" + C),
        (b"t,v\n", A, A),
        (A[:-1], A, b"t,v\n"),
    ],
)
def test_the_copy_is_a_file_of_the_new_rows(turbine: Turbine, first: bytes, then: bytes, copy: bytes) -> None:
    turbine.publish(first)
    base, spooled = turbine.spooled(then)
    assert base is not None
    assert spooled.file.read_bytes() == copy
    assert spooled.sha256 == hashlib.sha256(then).hexdigest()
    assert spooled.own_sha256 == spooled.file.name == hashlib.sha256(copy).hexdigest()


@pytest.mark.parametrize(
    "then",
    [
        A[:-1] + b"0\n" + B,  # its last row was cut off when it was read
        A.replace(b"1", b"2") + B,
        b"t,v\n" + B,
        A[:-1],
        b"",
        b"x" * 10_000,
    ],
)
def test_a_file_that_was_written_anew_goes_on_behind_nothing(turbine: Turbine, then: bytes) -> None:
    turbine.publish(A if then != A[:-1] + b"0\n" + B else A[:-1])
    assert turbine.base(then) is None


@pytest.mark.parametrize(
    "other",
    [
        {"source": "other.csv"},
        {"topic": "other"},
        {"topic_id": "that of a topic which was made anew"},
        {"options": '{"kind": "csv", "path": "in.csv", "delimiter": ";"}'},
        {"options": '{"kind": "csv", "path": "in.csv", "encoding": "latin-1"}'},
        {"options": '{"kind": "jsonl", "path": "in.csv"}'},
        {"size": None},
        {"state": "superseded", "finished": None},
    ],
)
def test_what_is_of_another_kind_is_no_beginning(turbine: Turbine, other: dict[str, Any]) -> None:
    turbine.publish(A, **other)
    assert turbine.base(A + B) is None


@pytest.mark.parametrize(
    "way",
    [{"preamble": 1}, {"units": 1}, {"comment": "#"}, {"escape": "\\"}, {"encoding": "utf-16"}, "in.csv.gz"],
)
def test_a_file_that_cannot_be_read_from_its_middle_is_published_whole(
    turbine: Turbine, way: str | dict[str, Any]
) -> None:
    turbine.publish(A)
    changed = {"path": turbine.file.with_name(way)} if isinstance(way, str) else way
    source = turbine.contract.source.model_copy(update=changed)
    turbine.contract = turbine.contract.model_copy(update={"source": source})
    assert isinstance(source, CsvSource)
    options = {"source": str(source.path), "options": source.model_dump_json()}
    turbine.known = [each.model_copy(update=options) for each in turbine.known]
    assert turbine.base(A + B) is None


def test_files_without_a_header_have_none_in_their_copies(turbine: Turbine) -> None:
    source = turbine.contract.source.model_copy(update={"names": ("t", "v")})
    turbine.contract = turbine.contract.model_copy(update={"source": source})
    turbine.publish(b"2001,1\n")
    _, spooled = turbine.spooled(b"2001,1\n" + B)
    assert (spooled.file.read_bytes(), spooled.rows) == (B, 2)
    source = JsonlSource(kind="jsonl", path=turbine.file)
    turbine.contract, turbine.known = turbine.contract.model_copy(update={"source": source}), []
    lines = [b'{"t": 2001}\n', b'{"t": 2002}\n']
    turbine.publish(lines[0])
    _, spooled = turbine.spooled(b"".join(lines))
    assert (spooled.file.read_bytes(), spooled.rows) == (lines[1], 1)


def test_the_longest_beginning_counts_also_one_that_was_superseded(turbine: Turbine) -> None:
    turbine.publish(A, state="published")
    longer = turbine.publish(A + B, state="superseded")
    base = turbine.base(A + B + C)
    assert base is not None
    assert base.publication == longer


def test_one_that_was_broken_off_can_be_gone_on_with_while_its_copy_is_whole(turbine: Turbine) -> None:
    turbine.publish(A)
    begun = turbine.publish(A + B, state="publishing", finished=None)
    base = turbine.base(A + B + C)
    assert base is not None
    assert base.publication == begun
    (turbine.spool / begun.copy_sha256).write_bytes(b"t,v\n2002,9\n")
    base = turbine.base(A + B + C)
    assert base is not None
    assert base.publication.rows == 1


def test_what_was_begun_just_so_is_copied_as_it_was_then(turbine: Turbine) -> None:
    turbine.publish(A)
    begun = turbine.publish(A + B, state="publishing", finished=None)
    (turbine.spool / begun.copy_sha256).unlink()
    _, spooled = turbine.spooled(A + B)
    assert (spooled.own_sha256, spooled.rows) == (begun.own_sha256, 2)
    turbine.known = [begun.model_copy(update={"first": 1, "continues": None, "own_sha256": None, "rows": 3})]
    _, spooled = turbine.spooled(A + B)
    assert (spooled.own_sha256, spooled.rows) == (None, 3)


def test_rows_without_an_identity_need_the_copies_of_those_before(without_identity: Turbine) -> None:
    first = without_identity.publish(A)
    second = without_identity.publish(A + B)
    assert without_identity.base(A + B + C)
    (without_identity.spool / first.copy_sha256).unlink()
    assert without_identity.base(A + B + C) is None
    base = without_identity.base(A + B)
    assert base is not None  # it is finished: nobody counts its rows any more
    assert base.publication == first
    without_identity.known[1] = second.model_copy(update={"state": "publishing", "finished": None})
    assert without_identity.base(A + B) is None


def test_a_copy_of_new_rows_is_known_with_the_whole_file(turbine: Turbine) -> None:
    turbine.publish(A)
    grown = turbine.publish(A + B)

    def known() -> bool:
        with io.FileIO(turbine.file) as reading:
            file = OpenSource(turbine.file, reading)
            return is_spooled(file, turbine.spool, grown.sha256, grown.own_sha256)

    assert known()
    turbine.file.write_bytes(A + B + b"\n")
    assert not known()
    turbine.file.write_bytes(A.replace(b"1", b"2") + B)
    assert not known()
    turbine.file.write_bytes(A + B)
    (turbine.spool / grown.copy_sha256).write_bytes(b"t,v\n")
    assert not known()
    (turbine.spool / grown.copy_sha256).unlink()
    assert not known()
