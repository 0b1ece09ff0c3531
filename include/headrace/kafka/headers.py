"""The header of a record that Headrace published: which publication it is of, which row, which identity."""

HEADER = "headrace"
"""Its value is text: the form's version, the publication, the row and, where the contract declares no
identity, what makes the row itself: `1:4f0c9b27a1d83e65b0f2:50530`, or the same, `:` and 32 digits more. A
later form has another version; who does not know it takes the record for a stranger's."""

PUBLICATION_DIGITS = 20
"""How many hexadecimal digits a publication has."""

IDENTITY_DIGITS = 32
"""How many hexadecimal digits a row's identity has."""

ROW_DIGITS = 19
"""How many decimal digits a row's number has at the most, as the largest 64-bit one."""

FORM = (
    f"^1:(?P<publication>[0-9a-f]{{{PUBLICATION_DIGITS}}}):(?P<row>[1-9][0-9]{{0,{ROW_DIGITS - 1}}})"
    f"(?::(?P<row_identity>[0-9a-f]{{{IDENTITY_DIGITS}}}))?$"
)
"""The value as a regular expression."""

OLD_PUBLICATION, OLD_ROW, OLD_IDENTITY = "headrace-publication", "headrace-row", "headrace-identity"
"""What records have instead that were published before there was one header; topics still hold them."""

Header = tuple[str, str | bytes | None]


def row_header(publication: str, row: int, row_identity: str | None = None) -> Header:
    """The header of a source's row, counted from 1."""
    own = f":{row_identity}" if row_identity else ""
    return HEADER, f"1:{publication}:{row}{own}".encode()
