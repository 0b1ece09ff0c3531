"""Compressed values to plain ones, never more at a time than memory bears."""

import zlib
from collections.abc import Callable, Iterator

import pyarrow as pa

from headrace.parse.reasons import Reason
from headrace.parse.refusal import Refusal

LARGEST = 16 << 20
"""Bytes of one plain value; a broker takes a compressed one of 1 MB, unless it is told otherwise."""

ENOUGH = 64 << 20
"""Bytes of plain values after which those before are parsed and forgotten."""

FIRST_READ = 1 << 16
"""Bytes that most values have at the most: what is read at first, into memory that is set aside for it."""

Values = list[bytes | Refusal | None]

GZIP = 16 + zlib.MAX_WBITS


def plain_values(values: pa.BinaryArray, compression: str | None) -> Iterator[Values]:
    """The values in their order, in as many parts as their size makes needed; a refusal of a broken one."""
    if compression is None:
        yield values.to_pylist()
        return
    unpack = UNPACK[compression]
    refused = Refusal.of(Reason.NOT_COMPRESSED, compression)
    part: Values = []
    size = 0
    for value in values.to_pylist():
        plain = _plain(value, unpack, refused)
        part.append(plain)
        size += len(plain) if isinstance(plain, bytes) else 0
        if size >= ENOUGH:
            yield part
            part, size = [], 0
    yield part


def _plain(value: bytes | None, unpack: Callable[[bytes], bytes], refused: Refusal) -> bytes | Refusal | None:
    if not value:
        return value
    try:
        return unpack(value)
    except (OSError, EOFError, ValueError, zlib.error):
        return refused


def _gunzip(value: bytes) -> bytes:
    """All members of the stream, as RFC 1952 has it."""
    found = bytearray()
    while value:
        member = zlib.decompressobj(GZIP)
        found += member.decompress(value, LARGEST + 1 - len(found))
        _require_bounded(len(found))
        if not member.eof:
            raise EOFError("cut off")
        value = member.unused_data
    return bytes(found)


def _unpack_zstd(value: bytes) -> bytes:
    """All frames, as RFC 8878 has it."""
    with pa.CompressedInputStream(pa.BufferReader(value), "zstd") as stream:
        found = stream.read(FIRST_READ)
        if len(found) == FIRST_READ:
            found += stream.read(LARGEST + 1 - FIRST_READ)
    _require_bounded(len(found))
    return bytes(found)


def _require_bounded(size: int) -> None:
    if size > LARGEST:
        raise ValueError("too large")


UNPACK: dict[str, Callable[[bytes], bytes]] = {"gzip": _gunzip, "zstd": _unpack_zstd}
