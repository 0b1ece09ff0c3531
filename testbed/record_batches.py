"""Records as Kafka keeps them on its disk, for what no producer sends; a broker that comes up finds them.

https://kafka.apache.org/documentation/#recordbatch
"""

import struct
import zlib
from itertools import count, takewhile
from pathlib import Path

from local.stack.broker import Broker

HEADER = 61
"""Bytes of a batch before its records."""


def segment(broker: Broker, topic: str, partition: int) -> Path:
    """The only segment of a partition."""
    (found,) = broker.folder.glob(f"**/{topic}-{partition}/*.log")
    return found


def batch(base: int, *values: bytes, codec: int = 0, timestamp: int = 0) -> bytes:
    """A batch of records of these values from the offset `base`; `codec`: what it says it is packed with."""
    payload = b"".join(_record(delta, value) for delta, value in enumerate(values))
    last = len(values) - 1
    sealed = struct.pack(">hiqqqhii", codec, last, timestamp, timestamp, -1, -1, -1, len(values)) + payload
    rest = struct.pack(">ibI", 0, 2, _crc32c(sealed)) + sealed
    return struct.pack(">qi", base, len(rest)) + rest


def old_message(offset: int, value: bytes, magic: int, timestamp: int = 0) -> bytes:
    """A record as brokers before 0.11 wrote it; with `magic` 0 it has no timestamp."""
    time = struct.pack(">q", timestamp) if magic else b""
    body = bytes([magic, 0]) + time + struct.pack(">ii", -1, len(value)) + value
    message = struct.pack(">I", zlib.crc32(body)) + body
    return struct.pack(">qi", offset, len(message)) + message


def flip_a_bit(log: Path, number: int) -> None:
    """Change the last byte but one of the batch of that number, as a disk does."""
    held = bytearray(log.read_bytes())
    ends = [0]
    for _ in takewhile(lambda _: ends[-1] < len(held), count()):
        ends.append(ends[-1] + 12 + struct.unpack_from(">i", held, ends[-1] + 8)[0])
    held[ends[number + 1] - 2] ^= 1
    log.write_bytes(held)


def _record(delta: int, value: bytes) -> bytes:
    body = b"\0" + _varint(0) + _varint(delta) + _varint(-1) + _varint(len(value)) + value + _varint(0)
    return _varint(len(body)) + body


def _varint(number: int) -> bytes:
    rest, out = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
