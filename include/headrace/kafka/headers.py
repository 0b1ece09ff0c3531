"""The headers of a record that Headrace published: which publication it is of, which row, which identity."""

PUBLICATION = "headrace-publication"
ROW = "headrace-row"
SHA256 = "headrace-sha256"
IDENTITY = "headrace-identity"

IDENTITY_DIGITS = 32
"""How many hexadecimal digits a row's identity has."""

Header = tuple[str, str | bytes | None]


def publication_headers(publication: str, sha256: str) -> list[Header]:
    """The headers that all records of a publication have."""
    return [(PUBLICATION, publication.encode()), (SHA256, sha256.encode())]


def row_header(row: int) -> Header:
    """The header that names a source row, counted from 1."""
    return (ROW, str(row).encode())


def identity_header(identity: str) -> Header:
    """The header that says what makes a source row itself, where the contract declares nothing."""
    return (IDENTITY, identity.encode())
