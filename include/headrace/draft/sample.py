"""A sample by its kind, which its first bytes say: Parquet, JSON Lines, or CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headrace.draft.encoding import guess_encoding
from headrace.draft.guess import Guess, Settle, leave
from headrace.draft.look import Look, Records, look_at_csv, look_at_records, together
from headrace.draft.parquet import Chosen, is_parquet, look_at_parquet
from headrace.draft.pieces import Pieces, read_pieces
from headrace.draft.shape import BLANK, Shape, find_shape, guess_delimiter
from headrace.errors import SourceError
from headrace.publish.sources.compression import faults_named

MOST_FILES = 24
"""Files of a folder that are looked at besides the last."""

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


def read_files(files: Sequence[Path], settle: Settle[Any]) -> Sample:
    """The sample that several files are, by the last of them; of the others some rows, where they are alike.

    Raises:
        SourceError: the last cannot be read, or has no rows.
    """
    last = read_file(files[-1], settle)
    step = 1 + (len(files) - 2) // MOST_FILES if len(files) > 1 else 1
    looked_at = [each for file in files[-1 - step :: -step][::-1] if (each := _alike(file, last))]
    looks = [*looked_at, last.look]
    rows = sum(len(each.frame) for each in looks)
    whole = len(looks) == len(files) and all(each.whole for each in looks)
    of = f"{len(looks):,} of its {len(files):,} files"
    said = f"{rows:,} rows of {of}, {last.look.said} in {files[-1].name}"
    return replace(last, look=together(looks, said, whole))


def _alike(file: Path, last: Sample) -> Look | None:
    """The rows of a file that is read as the last one is."""
    try:
        sample = read_file(file, leave)
    except SourceError:
        return None
    same = (sample.kind, sample.delimiter and sample.delimiter.value) == (
        last.kind,
        last.delimiter and last.delimiter.value,
    )
    fits = sample.kind != "csv" or {*sample.look.names} == {*last.look.names}
    return sample.look if same and fits else None


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
