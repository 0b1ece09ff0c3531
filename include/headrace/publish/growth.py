"""A source that has grown: of which publication its first bytes are, so that only what follows is new."""

import codecs
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.contract.model import Contract
from headrace.contract.source import CsvSource, JsonlSource, OwnSource, ParquetSource
from headrace.publish.publications import Publication
from headrace.publish.sources.compression import KINDS
from headrace.publish.sources.opening import OpenSource
from headrace.publish.spool import Prefix, hashes

CUT_AT_LINES = ("utf-8", "ascii", "iso8859", "cp125")
"""How the names of encodings begin in which the byte of a line's end is always one."""

LARGEST_HEAD = 1 << 20
"""Bytes of a header; behind a longer one a file is published whole."""


@dataclass(frozen=True)
class Base:
    """The publication that a source goes on behind, and the bytes that are not to be published again."""

    publication: Publication
    prefix: Prefix


def goes_on_behind(
    file: OpenSource, contract: Contract, known: Sequence[Publication], topic_id: str, spool: Path
) -> Base | None:
    """What of the source is published already, or was begun, to the end of a row: the most that there is.

    None where it is to be published whole: nothing is known of it, it was written anew, it is read in another
    way than it was then, or in one that cannot begin in the middle; or rows without an identity can no longer
    be counted from the first on. Of a source that was begun or published just so, it is what that publication
    goes on behind.
    """
    source = contract.own_source
    assert source  # noqa: S101  # the caller has looked
    if not _can_begin_anywhere(source):
        return None
    size = os.fstat(file.reading.fileno()).st_size
    own = [each for each in known if _is_of(each, source, contract.topic.name, topic_id, size)]
    states = hashes(file, {each.size or 0 for each in own})
    found = [each for each in own if states[each.size or 0].hexdigest() == each.sha256]
    countable = [each for each in found if _is_countable(each, contract, known, spool)]
    same = [each for each in found if each.size == size and (each.finished or each in countable)]
    if same:
        bases = [each for each in found if each.publication == same[-1].continues]
    else:
        bases = [each for each in countable if each.size != size and _can_go_on(each, spool)]
        bases.sort(key=lambda each: (each.size or 0, each.finished is not None, each.started))
    for base in reversed(bases):
        prefix = _prefix(file, source, base.size or 0, states[base.size or 0])
        if prefix:
            return Base(base, prefix)
    return None


def line_of(publication: Publication, known: Sequence[Publication]) -> list[Publication]:
    """The publications that hold the source's rows from the first to this one's last, in that order."""
    by_name = {each.publication: each for each in known}
    line = [publication]
    while line[0].continues in by_name:
        line.insert(0, by_name[line[0].continues])
    return line


def _is_of(each: Publication, source: OwnSource, topic: str, topic_id: str, size: int) -> bool:
    """Whether it can be of the source's first bytes, read as they are read now and in the topic of now."""
    known = each.size is not None and each.size <= size
    where = (each.source, each.topic, each.topic_id) == (str(source.path), topic, topic_id)
    return known and where and each.read_as(source) == source


def _is_countable(
    publication: Publication, contract: Contract, known: Sequence[Publication], spool: Path
) -> bool:
    """Whether the rows before it can still be counted, where that is what makes the next ones themselves."""
    line = line_of(publication, known)
    return bool(contract.record.identity) or (
        line[0].first == 1 and all((spool / each.copy_sha256).exists() for each in line)
    )


def _can_go_on(publication: Publication, spool: Path) -> bool:
    """Whether it is finished, or can be: nothing newer has taken its place, and its copy is whole."""
    if publication.finished:
        return True
    try:
        with (spool / publication.copy_sha256).open("rb") as copy:
            whole = hashlib.file_digest(copy, "sha256").hexdigest() == publication.copy_sha256
    except OSError:
        return False
    return whole and publication.state == "publishing"


def _can_begin_anywhere(source: OwnSource) -> bool:
    """Whether its last rows, behind the header, are a file of the same kind."""
    if isinstance(source, ParquetSource) or source.path.suffix in KINDS:
        return False
    if not codecs.lookup(source.encoding).name.startswith(CUT_AT_LINES):
        return False
    if isinstance(source, JsonlSource):
        return True
    return not (source.preamble or source.units or source.comment or source.escape)


def _prefix(file: OpenSource, source: OwnSource, size: int, state: "hashlib._Hash") -> Prefix | None:
    """The first bytes as what a copy of the rest needs; None where they do not end with a row."""
    handle = file.reading.fileno()
    last, rest = os.pread(handle, 1, size - 1), os.pread(handle, 2, size)
    if last == b"\n":
        line_end = 0
    elif rest.startswith((b"\n", b"\r\n")):
        line_end = rest.index(b"\n") + 1
    else:
        return None
    if not isinstance(source, CsvSource) or source.names:
        return Prefix(size, line_end, state, b"")
    head = _head(os.pread(handle, min(size, LARGEST_HEAD), 0), (source.quote or "").encode())
    return Prefix(size, line_end, state, head) if head else None


def _head(first: bytes, quote: bytes) -> bytes:
    """The header with its line's end, before which others may stand within quotes; empty without one."""
    end = first.find(b"\n") + 1
    while end and quote and first.count(quote, 0, end) % 2:
        end = first.find(b"\n", end) + 1
    return first[:end]
