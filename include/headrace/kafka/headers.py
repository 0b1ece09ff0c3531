"""The header of a record that Headrace published: which publication it is of, which row, and a proof of it.

The proof is a keyed hash over the header and the record's value. Who may write to a topic has not got the
key: what is not proven is a stranger's record, whatever it says of itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

HEADER = "headrace"
"""Its value is text in six parts: the form's version 2, the publication, the row, which of two a doubled
local time is of, what makes the row itself where the contract declares no identity, and the proof:
`2:4f0c9b27a1d83e65b0f2:50530:::9b1f0c6d2e7a4853`. A later form has another version; who does not know it
takes the record for a stranger's."""

PUBLICATION_DIGITS = 20
"""How many hexadecimal digits a publication has."""

IDENTITY_DIGITS = 32
"""How many hexadecimal digits a row's identity has."""

ROW_DIGITS = 19
"""How many decimal digits a row's number has at the most, as the largest 64-bit one."""

PROOF_DIGITS = 16
"""How many hexadecimal digits a proof has: who guesses needs 2^63 records."""

LATER, UNDECIDED = "l", "u"
"""A local time that comes twice is the later one; or nothing tells. Without either it is the earlier one."""

_PUBLICATION = f"(?P<publication>[0-9a-f]{{{PUBLICATION_DIGITS}}})"
_ROW = f"(?P<row>[1-9][0-9]{{0,{ROW_DIGITS - 1}}})"
_IDENTITY = f"(?P<row_identity>[0-9a-f]{{{IDENTITY_DIGITS}}})"

_DOUBLED = f"(?P<doubled>[{LATER}{UNDECIDED}])"
_PROOF = f"(?P<proof>[0-9a-f]{{{PROOF_DIGITS}}})"

FORM = f"^2:{_PUBLICATION}:{_ROW}:{_DOUBLED}?:{_IDENTITY}?:{_PROOF}$"
"""The value as a regular expression."""

UNPROVEN_FORM = f"^1:{_PUBLICATION}:{_ROW}(?::{_IDENTITY})?$"
"""The same of version 1, which had no proof; topics still hold it."""

OLD_PUBLICATION, OLD_ROW, OLD_IDENTITY = "headrace-publication", "headrace-row", "headrace-identity"
"""What records have instead that were published before there was one header; topics still hold them."""

Header = tuple[str, str | bytes | None]


class Sign(Protocol):
    """Makes a row's header."""

    def __call__(self, row: int, row_identity: str | None, value: str, doubled: str = "") -> Header:
        """Of the row's number, what makes it itself, its value, and which of two its time is."""


@dataclass(frozen=True)
class Unproven:
    """A publication of a version that proved nothing: the rows that it has, and its topic's end behind them.

    `until`: partition -> offset; empty while it is not finished.
    """

    rows: int
    until: dict[int, int]


@dataclass(frozen=True)
class Authors:
    """Whose headers are believed: those that the `key` proves, and those of `unproven` publications."""

    key: bytes | None
    unproven: dict[str, Unproven]


def proofs(key: bytes, pairs: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """The proof of each header, given without it, and its record's value; 0.7 µs a record.

    The hash of the key is begun once: of `blake2b(…, key=key)` it would be a third of all.
    """
    begun, found = blake2b(key=key, digest_size=PROOF_DIGITS // 2), []
    for header, value in pairs:
        proof = begun.copy()
        proof.update(header + value)
        found.append(proof.hexdigest())
    return found


def signer(publication: str, key: bytes) -> Sign:
    """What makes the headers of a publication's records; rows are counted from 1."""
    begins = f"2:{publication}:"
    begun = blake2b(begins.encode(), key=key, digest_size=PROOF_DIGITS // 2)
    copy = begun.copy  # it holds the key's block, which is a third of a short record's hash

    def sign(row: int, row_identity: str | None, value: str, doubled: str = "") -> Header:
        own = f"{row}:{doubled}:{row_identity or ''}:"
        proof = copy()
        proof.update((own + value).encode())
        return HEADER, (begins + own + proof.hexdigest()).encode()

    return sign


def unproven_signer(publication: str) -> Sign:
    """The same of version 1, for a publication that was begun with it."""

    def sign(row: int, row_identity: str | None, value: str, doubled: str = "") -> Header:
        own = f":{row_identity}" if row_identity else ""
        return HEADER, f"1:{publication}:{row}{own}".encode()

    return sign
