"""How far a publication has come, as the topic tells it."""

from datetime import UTC, datetime

import pytest
from confluent_kafka import Message

from headrace.errors import PublicationBroken
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


def new(row: str, publication: str = OWN) -> Headers:
    return [("headrace", f"1:{publication}:{row}".encode())]


def old(row: str, publication: str = OWN) -> Headers:
    return [("headrace-publication", publication.encode()), ("headrace-row", row.encode())]


def seen(*of_each: Headers | None) -> _Rows:
    rows = _Rows(PUBLICATION)
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


@pytest.mark.parametrize("header", [new("9" * 5_000), new("0"), new("-1"), [("headrace", b"1")]])
def test_what_is_no_header_of_ours_is_passed_over(header: Headers) -> None:
    assert seen(new("1"), header).highest == 1


@pytest.mark.parametrize(
    ("headers", "row"),
    [
        (new("1"), "1"),
        (new("6"), "6"),
        (new(str(2**63 - 1)), str(2**63 - 1)),
        (old("1"), "1"),
        (old("0"), "0"),
        (old("-1"), "-1"),
        (old("6"), "6"),
        (old("9" * 5_000), "that is no number"),
        (old("one"), "that is no number"),
        (old("")[:1], "that is no number"),
    ],
)
def test_a_row_that_is_there_already_or_cannot_be_is_somebody_elses(headers: Headers, row: str) -> None:
    said = f"topic t, partition 1, offset 1: claims to be row {row} of publication {OWN}, which has that row"
    with pytest.raises(PublicationBroken, match=said):
        seen(new("1"), headers)


def test_the_rows_of_a_source_that_has_grown_begin_behind_those_of_before() -> None:
    """The topic alone says how far it came: its first row is not row 1."""
    grown = PUBLICATION.model_copy(update={"first": 3})

    def recovered(*of_each: Headers) -> int:
        rows = _Rows(grown)
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
