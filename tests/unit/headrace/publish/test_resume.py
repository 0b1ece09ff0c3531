"""How far a publication has come, as the topic tells it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from confluent_kafka import Message

from headrace.errors import PublicationBroken
from headrace.kafka.headers import Authors, Unproven, signer
from headrace.publish.publications import Publication
from headrace.publish.resume import _recovered, _Rows

OWN, OTHER = "0123456789abcdef0123", "f" * 20
PUBLICATION = Publication(
    publication=OWN,
    source="in.csv",
    sha256="0" * 64,
    rows=5,
    topic="t",
    topic_id="id",
    run_id="r",
    state="publishing",
    started=datetime(2026, 1, 1, tzinfo=UTC),
)

Headers = list[tuple[str, bytes]]


KEY = b"k" * 32
BEFORE = Authors(KEY, {OWN: Unproven(5, {})})


def new(row: str, publication: str = OWN) -> Headers:
    return [("headrace", f"1:{publication}:{row}".encode())]


def proven(row: int, key: bytes = KEY) -> Headers:
    name, value = signer(OWN, key)(row, None, "{}")
    assert isinstance(value, bytes)
    return [(name, value)]


def old(row: str, publication: str = OWN) -> Headers:
    return [("headrace-publication", publication.encode()), ("headrace-row", row.encode())]


def seen(*of_each: Headers | None) -> _Rows:
    rows = _Rows(PUBLICATION, BEFORE)
    rows.add(
        [
            Message(topic="t", partition=offset % 3, offset=offset, value=b"{}", headers=headers)
            for offset, headers in enumerate(of_each)
        ]
    )
    return rows


def test_rows_with_the_headers_of_before_and_with_the_one_header_are_counted() -> None:
    rows = seen(old("1"), new("2"), new("3", OTHER), old("3", OTHER), None, old("4"))
    assert (rows.highest, list(rows.seen), rows.partitions) == (4, [0, 1, 1, 0, 1, 0], {0, 1, 2})


@pytest.mark.parametrize("write", [old, new])
@pytest.mark.parametrize("row", ["9" * 5_000, str(2**63 - 1), "6", "0", "-1", "one", ""])
def test_what_cannot_be_a_row_of_it_is_passed_over(row: str, write: Callable[[str], Headers]) -> None:
    assert seen(new("1"), write(row), [("headrace", b"1")]).highest == 1


@pytest.mark.parametrize("write", [old, new])
def test_a_row_that_is_there_already_is_somebody_elses(write: Callable[[str], Headers]) -> None:
    said = f"topic t, partition 1, offset 1: claims to be row 1 of publication {OWN}, which has that row"
    with pytest.raises(PublicationBroken, match=said):
        seen(new("1"), write("1"))


def test_only_what_is_proven_is_a_row_of_a_publication_that_proves_its_own() -> None:
    rows = _Rows(PUBLICATION.model_copy(update={"proven": True}), Authors(KEY, {}))
    headers = [proven(1), new("2"), old("2"), proven(2, b"K" * 32), proven(2)]
    messages = [
        Message(topic="t", partition=0, offset=at, value=b"{}", headers=each)
        for at, each in enumerate(headers)
    ]
    rows.add(messages)
    assert list(rows.seen) == [0, 1, 1, 0, 0, 0]


def test_the_rows_of_a_source_that_has_grown_begin_behind_those_of_before() -> None:
    """The topic alone says how far it came: its first row is not row 1."""
    grown = PUBLICATION.model_copy(update={"first": 3})

    def recovered(*of_each: Headers) -> int:
        rows = _Rows(grown, BEFORE)
        messages = [
            Message(topic="t", partition=0, offset=offset, value=b"{}", headers=headers)
            for offset, headers in enumerate(of_each)
        ]
        rows.add(messages)
        return _recovered(grown, rows, {0: 0}, {0: 9})

    assert recovered() == 3
    assert recovered(new("3"), new("4"), new("1", OTHER)) == 5
    with pytest.raises(PublicationBroken, match="claims to be row 2"):
        recovered(new("2"))
    with pytest.raises(PublicationBroken, match="holds rows up to 4 without row 3"):
        recovered(new("4"))
