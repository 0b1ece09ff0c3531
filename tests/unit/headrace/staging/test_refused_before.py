"""Rows that were refused before are marked, as many as there were; what is new has its own reason."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from headrace.contract.model import Contract
from headrace.parse.parser import Parser
from headrace.publish.publications import Publication, change_publications
from headrace.staging.refused_before import mark_refused_before
from headrace.staging.staging import Staging, stage
from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.warehouse import Warehouse
from testbed.arrow_records import batch as records
from testbed.batch_rows import MIDNIGHT
from testbed.landed_batches import LANDED_AT, commit_staged
from testbed.parse_cases import TOPIC_ID, Sent, contract

X, Y, GOOD = b"x", b"{}", b'{"time": "01 01 2018 00:10"}'


@dataclass
class Rewritten:
    """A stream whose source comes again and again."""

    warehouse: Warehouse
    contract: Contract
    published: list[str] = field(default_factory=list)
    batches: int = 0

    def publish(self, name: str, continues: str | None = None, source: str = "in.csv") -> str:
        publication = f"{name:0>20}"
        row = Publication(
            publication=publication,
            source=source,
            sha256="0" * 64,
            rows=9,
            first=2 if continues else 1,
            continues=f"{continues:0>20}" if continues else None,
            topic="readings",
            topic_id=TOPIC_ID,
            run_id="a run",
            state="published",
            started=MIDNIGHT + timedelta(minutes=len(self.published)),
            finished=MIDNIGHT,
        )
        self.published.append(publication)
        change_publications(self.warehouse, lambda rows: [*rows, row])
        return publication

    def land(self, *values: bytes | None, of: str | None = None) -> list[str]:
        """Land a batch of these values, rows of a publication; the reasons of the refused ones, in order."""
        publication = self.published[-1] if of is None else f"{of:0>20}"
        headers = [("headrace-publication", publication.encode()), ("headrace-row", b"1")]
        sent = [Sent(value, headers if publication.strip("0") else []) for value in values]
        staging = Staging.of(self.contract, self.warehouse, self.batches, LANDED_AT)
        parser = Parser(self.contract, TOPIC_ID)
        parsed = [parser.parse(records([each], at)) for at, each in enumerate(sent)]
        staged = mark_refused_before(stage(parsed, staging), staging, self.warehouse)
        commit_staged(self.warehouse, self.batches, staged)
        self.batches += 1
        rows = [row for file in staged.quarantine for row in self.rows(file.path)]
        assert sum(each.count for each in staged.refused.values()) == len(rows)
        assert all(row["value"] is not None for row in rows)
        return [str(row["reason"]) for row in rows]

    def rows(self, file: str) -> list[dict[str, object]]:
        table = pq.read_table(self.warehouse.table("quarantine") / file, partitioning=None)
        found: list[dict[str, object]] = table.to_pylist()
        return found


@pytest.fixture
def stream(tmp_path: Path) -> Rewritten:
    own = contract()
    warehouse = Warehouse(tmp_path, own.stream)
    create_tables(Attempt(own, warehouse, "a run").warehouse)
    return Rewritten(warehouse, own)


NO_OBJECT, NO_TIME, BEFORE = "not_an_object", "missing_field", "refused_before"


def test_a_row_that_was_refused_before_is_marked_and_keeps_its_bytes(stream: Rewritten) -> None:
    stream.publish("a")
    assert stream.land(X, GOOD, Y) == [NO_OBJECT, NO_TIME]
    stream.publish("b")
    assert stream.land(Y, b"{", X, GOOD) == [BEFORE, NO_OBJECT, BEFORE]
    row, *_ = stream.rows(newest(stream))
    assert row["value"] == Y
    assert "; then as now missing_field: " in str(row["message"])


def newest(stream: Rewritten) -> str:
    files = stream.warehouse.table("quarantine").glob(f"batch-{stream.batches - 1}-*.parquet")
    (file,) = files
    return file.name


def test_as_many_as_there_were_and_no_more(stream: Rewritten) -> None:
    stream.publish("a")
    assert stream.land(X, X) == [NO_OBJECT] * 2
    stream.publish("b")
    assert stream.land(X) == [BEFORE]
    assert stream.land(X, X, X) == [BEFORE, NO_OBJECT, NO_OBJECT]
    stream.publish("c")
    assert stream.land(X, X, X, X, X) == [BEFORE] * 4 + [NO_OBJECT]


def test_what_a_source_has_grown_by_is_new(stream: Rewritten) -> None:
    stream.publish("a")
    stream.land(X)
    stream.publish("b", continues="a")
    assert stream.land(X) == [NO_OBJECT]
    stream.publish("c")
    assert stream.land(X, X, X) == [BEFORE, BEFORE, NO_OBJECT]


def test_of_versions_that_went_apart_the_one_with_most_counts(stream: Rewritten) -> None:
    stream.publish("a")
    stream.land(X)
    stream.publish("b", continues="a")
    stream.land(X)
    stream.publish("c", continues="a")
    stream.land(X)
    stream.publish("d")
    assert stream.land(X, X, X) == [BEFORE, BEFORE, NO_OBJECT]


def test_another_source_and_a_record_of_none_are_new(stream: Rewritten) -> None:
    stream.publish("a")
    stream.land(X)
    stream.publish("b", source="other.csv")
    assert stream.land(X) == [NO_OBJECT]
    assert stream.land(X, of="") == [NO_OBJECT]


def test_an_absent_value_and_an_empty_one_are_two(stream: Rewritten) -> None:
    stream.publish("a")
    stream.land(b"")
    stream.publish("b")
    assert stream.land(b"", of="b") == [BEFORE]
