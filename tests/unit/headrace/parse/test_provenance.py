"""What headers say of a record's source: the one header, those of before, or what a stranger writes."""

import hashlib
from typing import Any

import pyarrow as pa
import pytest

from headrace.kafka.headers import Authors, Header, Unproven, signer, unproven_signer
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


def row_header(publication: str, row: int, own: str | None = None) -> Header:
    return unproven_signer(publication)(row, own, "")


def said(
    *of_each: list[Header] | None, value: bytes | None = b"{}", authors: Authors | None = None
) -> list[tuple[Any, ...]]:
    """Publication, row and row identity of each record; they stand in partition 0, from offset 0 on."""
    records = {
        "headers": header_lists(of_each),
        "value": pa.array([value] * len(of_each), pa.binary()),
        "partition": pa.array([0] * len(of_each), pa.int32()),
        "offset": pa.array(range(len(of_each)), pa.int64()),
    }
    found = of_source(records, authors)
    return list(zip(*(found[name].to_list() for name in ("publication", "row", "row_identity")), strict=True))


def one(value: bytes | None) -> list[Header]:
    return [("headrace", value)]


KEY = b"k" * 32
SIGN = signer(PUBLICATION, KEY)


def test_a_header_that_is_proven_is_read_as_it_is_written() -> None:
    written = [SIGN(1, None, "{}"), SIGN(2**63 - 1, OWN, "{}")]
    # by another implementation: `b2sum -l 64` knows no key, Python's hashlib called in one piece does
    proof = hashlib.blake2b(b"2:0123456789abcdef0123:1:::{}", key=KEY, digest_size=8).hexdigest()
    assert written[0] == ("headrace", f"2:0123456789abcdef0123:1:::{proof}".encode())
    own = [(PUBLICATION, 1, None), (PUBLICATION, 2**63 - 1, OWN)]
    for authors in (Authors(KEY, {}), None):
        assert said(*([each] for each in written), authors=authors) == own


@pytest.mark.parametrize(
    "forged",
    {
        "another row": SIGN(7, None, "{}")[1].replace(b":7:", b":8:"),
        "another publication": SIGN(7, None, "{}")[1].replace(b"0123456789abcdef0123", b"f" * 20),
        "an identity that was put in": SIGN(7, None, "{}")[1].replace(b":7::", f":7::{OWN}".encode()),
        "another key": signer(PUBLICATION, b"K" * 32)(7, None, "{}")[1],
        "another record's proof": SIGN(7, None, '{"p": 1}')[1],
        "no proof": b"2:0123456789abcdef0123:7:::",
        "a guess": b"2:0123456789abcdef0123:7:::0000000000000000",
        "the form of before": b"1:0123456789abcdef0123:7",
        "a row of 5,000 digits": b"2:0123456789abcdef0123:" + b"9" * 5_000 + b":::0000000000000000",
        "a row beyond 64 bits": SIGN(2**63, None, "{}")[1],
    }.items(),
    ids=lambda each: each[0],
)
def test_what_is_not_proven_is_a_strangers_record(forged: tuple[str, bytes]) -> None:
    sound = [SIGN(7, None, "{}")]
    authors = Authors(KEY, {})
    assert said(one(forged[1]), sound, OLD, authors=authors) == [STRANGER, (PUBLICATION, 7, None), STRANGER]
    assert said(sound, authors=Authors(None, {})) == [STRANGER]


def test_a_record_without_a_value_has_a_proof_too() -> None:
    assert said([SIGN(7, None, "")], value=None, authors=Authors(KEY, {})) == [(PUBLICATION, 7, None)]


def test_a_publication_of_before_is_believed_as_far_as_it_can_reach() -> None:
    """It has nine rows, and its records stand before offset 3."""
    finished = Authors(KEY, {PUBLICATION: Unproven(9, {0: 3})})
    nine, ten = [row_header(PUBLICATION, 9)], [row_header(PUBLICATION, 10)]
    seven = (PUBLICATION, 7, None)
    assert said(OLD, ten, nine, OLD, nine, authors=finished) == [
        seven,
        STRANGER,
        (PUBLICATION, 9, None),
        STRANGER,
        STRANGER,
    ]
    elsewhere = Authors(KEY, {PUBLICATION: Unproven(9, {1: 3})})
    assert said(OLD, authors=elsewhere) == [STRANGER]
    begun = Authors(KEY, {PUBLICATION: Unproven(9, {})})
    assert said(OLD, ten, [*OLD[:2], ("headrace-row", b"-7")], OLD, authors=begun) == [
        seven,
        STRANGER,
        STRANGER,
        seven,
    ]
    assert said(OLD, authors=Authors(KEY, {})) == [STRANGER]


def test_the_one_header_of_before_is_read_as_it_was_written() -> None:
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
