"""How numbers are written in texts: which sign begins the fraction, and which one stands between thousands.

As regular expressions that mean the same to polars and to Java, without anchors.
"""

from dataclasses import dataclass

SEPARATORS = {" ": "[ \u00a0\u202f]", "'": "['\u2019]", ".": "[.]", ",": ",", "_": "_"}
"""What may stand between thousands, with all characters that are written for it."""


@dataclass(frozen=True)
class NumberForm:
    """The signs of a fraction and of thousands; JSON knows a point and none."""

    decimal: str = "."
    thousands: str | None = None

    @property
    def separator(self) -> str | None:
        """What stands between thousands, as a regular expression."""
        return SEPARATORS[self.thousands] if self.thousands else None

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as in JSON."""
        return self == PLAIN

    @property
    def whole(self) -> str:
        """A whole number without a sign."""
        grouped = f"[0-9]{{1,3}}(?:{self.separator}[0-9]{{3}})+|" if self.separator else ""
        return f"(?:{grouped}[0-9]+)"

    @property
    def fixed(self) -> str:
        """A number without an exponent."""
        point = SEPARATORS[self.decimal]
        return f"[+-]?(?:{self.whole}(?:{point}[0-9]*)?|{point}[0-9]+)"

    @property
    def number(self) -> str:
        """Any number.

        What parsers of other languages take and JSON does not (hexadecimal, `1d`, `NaN`, blanks around it) is
        no number here.
        """
        return f"{self.fixed}(?:[eE][+-]?[0-9]+)?"


PLAIN = NumberForm()
