"""What was found in a sample that no contract can say yet: refused with what to do, never drafted wrongly."""

from collections.abc import Iterator
from typing import get_args

from headrace.contract.model import CsvSource
from headrace.draft.drafting import Draft, Text

ENCODINGS = get_args(CsvSource.model_fields["encoding"].annotation)


def unsayable(draft: Draft) -> list[str]:
    """Each with a way out; empty where the contract says all that was found."""
    return [*_of_text(draft.text)] if draft.text else []


def _of_text(text: Text) -> Iterator[str]:
    shape = text.shape
    if text.encoding.value not in ENCODINGS:
        yield f"its encoding, {text.encoding.value}: save it as UTF-8"
    if shape.preamble:
        yield f"{shape.preamble} lines before the header: remove them"
    if not all(shape.names):
        yield f"columns without a name ({shape.names.count('')}): give each one"
    if not shape.header:
        yield "rows without a header: put a line with names on top"
    if shape.units:
        yield f"a row of units behind the header ({' '.join(shape.units)}): remove it"
    if shape.trailing:
        yield "a delimiter behind each row: remove it"
