"""What headers say of a record's source: the one header, the three of before, or what a stranger writes."""

from typing import Any

import pytest

from headrace.kafka.headers import Header, row_header
from headrace.parse.provenance import header_lists, of_source
from testbed.arrow_records import parsed
from testbed.parse_cases import TOPIC_ID, Sent, contract, fields

PUBLICATION = "0123456789abcdef0123"
OWN = "0123456789abcdef" * 2
OLD: list[Header] = [
    ("headrace-publication", PUBLICATION.encode()),
    ("headrace-sha256", b"0" * 64),
    ("headrace-row", b"7"),
]
STRANGER = (None, None, None)


def said(*of_each: list[Header] | None) -> list[tuple[Any, ...]]:
    """Publication, row and row identity of each record."""
    found = of_source(header_lists(of_each))
    return list(zip(*(found[name].to_list() for name in ("publication", "row", "row_identity")), strict=True))


def one(value: bytes | None) -> list[Header]:
    return [("headrace", value)]


def test_the_one_header_is_read_as_it_is_written() -> None:
    written = [row_header(PUBLICATION, 1), row_header(PUBLICATION, 2**63 - 1, OWN)]
    assert written == [
        ("headrace", b"1:0123456789abcdef0123:1"),
        ("headrace", b"1:0123456789abcdef0123:9223372036854775807:" + OWN.encode()),
    ]
    assert said(*([each] for each in written)) == [
        (PUBLICATION, 1, None),
        (PUBLICATION, 2**63 - 1, OWN),
    ]


def test_records_of_before_stand_beside_new_ones_and_those_of_others() -> None:
    own: Header = ("headrace-identity", OWN.encode())
    assert said([row_header(PUBLICATION, 9)], OLD, [("x", b"y")], [*OLD, own], None, []) == [
        (PUBLICATION, 9, None),
        (PUBLICATION, 7, None),
        STRANGER,
        (PUBLICATION, 7, OWN),
        STRANGER,
        STRANGER,
    ]
    assert said() == []


HOSTILE = {
    "nothing": b"",
    "no text": b"1:0123456789abcdef0123:\xff",
    "a later form": b"2:0123456789abcdef0123:7",
    "no form": b"0123456789abcdef0123:7",
    "a short publication": b"1:0123456789abcdef012:7",
    "a long publication": b"1:0123456789abcdef01234:7",
    "a publication in capitals": b"1:0123456789ABCDEF0123:7",
    "no row": b"1:0123456789abcdef0123:",
    "row 0": b"1:0123456789abcdef0123:0",
    "a row with a sign": b"1:0123456789abcdef0123:+7",
    "a row below 0": b"1:0123456789abcdef0123:-7",
    "a row with zeros before it": b"1:0123456789abcdef0123:007",
    "a row with a blank": b"1:0123456789abcdef0123: 7",
    "a row of other digits": "1:0123456789abcdef0123:٧".encode(),
    "a row beyond 64 bits": b"1:0123456789abcdef0123:9223372036854775808",
    "a row of 20 digits": b"1:0123456789abcdef0123:10000000000000000000",
    "a row of 5,000 digits": b"1:0123456789abcdef0123:" + b"9" * 5_000,
    "a line break": b"1:0123456789abcdef0123:7\n",
    "an empty identity": b"1:0123456789abcdef0123:7:",
    "a short identity": f"1:0123456789abcdef0123:7:{OWN[1:]}".encode(),
    "an identity in capitals": f"1:0123456789abcdef0123:7:{OWN.upper()}".encode(),
    "more": f"1:0123456789abcdef0123:7:{OWN}:{OWN}".encode(),
    "1 MB": b"1" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_header_that_is_not_of_the_form_makes_a_strangers_record(name: str) -> None:
    """Also where headers of before stand beside it: who writes both is no publisher."""
    hostile = one(HOSTILE[name])
    sound = [row_header(PUBLICATION, 7)]
    of_each = [hostile, sound, [*hostile, *OLD], [*hostile, *sound], [*sound, *hostile]]
    own = (PUBLICATION, 7, None)
    assert said(*of_each) == [STRANGER, own, STRANGER, STRANGER, own]
    assert said(*of_each, OLD, []) == [STRANGER, own, STRANGER, STRANGER, own, own, STRANGER]
    undeclared = {"record": contract().record.model_dump(mode="json") | {"identity": None}}
    (row,) = parsed([Sent(fields('"p": 1'), hostile)], contract(**undeclared))  # type: ignore[arg-type]
    assert row["reason"] is None
    assert row["provenance"]["identity"] == f'["{TOPIC_ID}","0","0"]'


def test_a_header_without_a_value_is_none() -> None:
    assert said(one(None), [*one(None), *OLD]) == [STRANGER, (PUBLICATION, 7, None)]


@pytest.mark.parametrize(
    ("header", "identity"),
    [
        (row_header(PUBLICATION, 7), f'["{PUBLICATION}","7"]'),
        (row_header(PUBLICATION, 7, OWN), f'["{OWN}"]'),
    ],
)
def test_what_makes_a_row_itself_is_what_it_was_with_the_headers_of_before(
    header: Header, identity: str
) -> None:
    before = [*OLD, ("headrace-identity", OWN.encode())] if OWN in identity else OLD
    undeclared = {"record": contract().record.model_dump(mode="json") | {"identity": None}}
    sent = [Sent(fields('"p": 1'), headers) for headers in ([header], before)]  # type: ignore[arg-type]
    assert [row["provenance"]["identity"] for row in parsed(sent, contract(**undeclared))] == [identity] * 2
