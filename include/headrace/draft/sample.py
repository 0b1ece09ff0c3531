"""A sample by its kind, which its first bytes say: Parquet, JSON Lines, or CSV."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.draft.encoding import guess_encoding
from headrace.draft.guess import Guess, Settle
from headrace.draft.look import Look, Records, look_at_csv, look_at_records
from headrace.draft.parquet import Chosen, is_parquet, look_at_parquet
from headrace.draft.pieces import Pieces, read_pieces
from headrace.draft.shape import BLANK, Shape, find_shape, guess_delimiter
from headrace.errors import SourceError
from headrace.publish.sources.compression import faults_named

MOST_LINES = 200_000
"""JSON objects of a file that are looked at."""


@dataclass(frozen=True)
class Sample:
    """What was seen of it, and how its source is read; `place`: as messages call it.

    `delimiter`, `shape`: of CSV. `blank_lines`: of JSON Lines. `chosen`: of Parquet.
    """

    look: Look
    place: str
    kind: str = "external"
    encoding: Guess[str] | None = None
    delimiter: Guess[str] | None = None
    shape: Shape | None = None
    blank_lines: bool = False
    chosen: Chosen | None = None


def read_file(file: Path, settle: Settle[Any]) -> Sample:
    """The sample that a file is.

    Raises:
        SourceError: it cannot be read, or has no rows.
    """
    with faults_named(file):
        parquet = is_parquet(file)
    if parquet:
        look, chosen = look_at_parquet(file)
        return Sample(look, str(file), "parquet", chosen=chosen)
    pieces = read_pieces(file)
    encoding = settle(guess_encoding(pieces.head, cut=not pieces.whole))
    head = pieces.head.decode(encoding.value, errors="replace")
    if head.lstrip("\ufeff \r\n").startswith("{"):
        return _of_lines(file, pieces, encoding)
    delimiter = settle(guess_delimiter(head))
    shape = find_shape(head, delimiter.value, str(file))
    look = look_at_csv(pieces, encoding.value, shape, str(file))
    return Sample(look, str(file), "csv", encoding, delimiter, shape)


def read_records(records: Records, place: str) -> Sample:
    """The sample that a topic's records are.

    Raises:
        SourceError: they are no JSON objects.
    """
    look = look_at_records(records)
    if look.odd > len(records.values) / 2:
        raise SourceError(
            f"{place}: {look.odd:,} of {len(records.values):,} records are no JSON objects; a contract of "
            "them must be written by hand (docs/reference/contract.md)"
        )
    return Sample(look, place)


def _of_lines(file: Path, pieces: Pieces, encoding: Guess[str]) -> Sample:
    texts = [each.decode(encoding.value, errors="replace") for each in (pieces.head, *pieces.spread)]
    lines = [line.encode() for text in texts for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    some = lines[:: 1 + len(lines) // MOST_LINES]
    said = f"{len(some):,} lines ({pieces.said})"
    records = Records(some, said, pieces.whole and len(some) == len(lines))
    sample = read_records(records, str(file))
    blank = bool(BLANK.search("\n" + texts[0]))
    return Sample(sample.look, str(file), "jsonl", encoding, blank_lines=blank)
