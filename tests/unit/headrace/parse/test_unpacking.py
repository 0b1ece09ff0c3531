"""Compressed values: what they hold, and what is not worth its memory."""

import gzip
import io
import tracemalloc
import zlib
from typing import Any

import pyarrow as pa
import pytest

from headrace.parse import unpacking
from headrace.parse.parser import Parser
from headrace.parse.reasons import Reason
from headrace.parse.refusal import Refusal
from headrace.parse.unpacking import LARGEST, plain_values
from testbed.arrow_records import batch, parsed
from testbed.parse_cases import TOPIC_ID, Sent, contract

VALUE = b'{"at": "2024-05-01T10:00:00", "v": 1}'


def _zstd(value: bytes) -> bytes:
    written = pa.BufferOutputStream()
    with pa.CompressedOutputStream(written, "zstd") as stream:
        stream.write(value)
    return bytes(written.getvalue())


def _zstd_with_size(value: bytes) -> bytes:
    return bytes(pa.compress(value, "zstd", asbytes=True))


PACK = {"gzip": gzip.compress, "zstd": _zstd, "zstd with size": _zstd_with_size}


def _of(pack: str) -> str:
    return pack.partition(" ")[0]


def _plain(values: list[bytes | None], compression: str) -> list[bytes | Refusal | None]:
    [found] = plain_values(pa.array(values, pa.binary()), compression)
    return found


def _contract(compression: str) -> Any:
    shape = {
        "event_time": {"field": "at", "format": "iso"},
        "signals": [{"name": "v", "fields": ["v"]}],
        "value_compression": compression,
    }
    return contract(record=shape)


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000, LARGEST])
def test_a_value_comes_out_as_it_went_in(pack: str, size: int) -> None:
    value = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    assert _plain([PACK[pack](value), None, b""], _of(pack)) == [value, None, b""]


@pytest.mark.parametrize("pack", PACK)
def test_parts_one_behind_the_other_are_one_value(pack: str) -> None:
    assert _plain([PACK[pack](VALUE[:9]) + PACK[pack](VALUE[9:])], _of(pack)) == [VALUE]


@pytest.mark.parametrize("pack", PACK)
def test_a_record_is_read_and_a_refused_one_keeps_its_bytes(pack: str) -> None:
    good, bad = PACK[pack](VALUE), PACK[pack](b"{}")
    first, second, third = parsed([Sent(good), Sent(bad), Sent(VALUE)], _contract(_of(pack)))
    assert first["signals"] == {"v": "1"}
    assert (second["reason"], second["value"]) == (Reason.MISSING_FIELD, bad)
    assert (third["reason"], third["value"]) == (Reason.NOT_COMPRESSED, VALUE)
    assert third["message"].endswith(f"; {_of(pack)}")


BROKEN = {
    "plain": lambda packed: VALUE,
    "cut off": lambda packed: packed[:-3],
    "begun": lambda packed: packed[:5],
    "garbage behind": lambda packed: packed + b"garbage",
    "its head damaged": lambda packed: b"\0" + packed[1:],
}


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_damaged_value_is_refused(pack: str, broken: str) -> None:
    [found] = _plain([BROKEN[broken](PACK[pack](VALUE))], _of(pack))
    assert isinstance(found, Refusal)


def test_gzip_knows_a_changed_bit() -> None:
    packed = bytearray(gzip.compress(VALUE))
    packed[-6] ^= 1  # of its checksum
    assert isinstance(_plain([bytes(packed)], "gzip")[0], Refusal)


def _bomb(pack: str, size: int) -> bytes:
    if pack == "gzip":
        bomb = zlib.compressobj(9, wbits=31)
        return b"".join([*(bomb.compress(bytes(1 << 20)) for _ in range(size >> 20)), bomb.flush()])
    written = pa.BufferOutputStream()
    with pa.CompressedOutputStream(written, "zstd") as stream:
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
    return bytes(written.getvalue())


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_bomb_is_refused_before_it_is_unpacked(pack: str) -> None:
    bomb = _bomb(pack, 256 << 20)
    arrow = pa.total_allocated_bytes()
    tracemalloc.start()
    found = _plain([bomb, gzip.compress(VALUE) if pack == "gzip" else _zstd(VALUE)], pack)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found[0], Refusal)
    assert found[1] == VALUE
    assert most < 4 * LARGEST
    assert pa.total_allocated_bytes() - arrow < LARGEST


def test_many_small_bombs_of_gzip_in_one_value_are_one_bomb() -> None:
    value = gzip.compress(bytes(LARGEST // 2)) * 100
    assert isinstance(_plain([value], "gzip")[0], Refusal)


def test_large_values_are_parsed_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "ENOUGH", 100)
    packed = gzip.compress(VALUE)
    records = batch([Sent(packed), Sent(None), Sent(packed), Sent(b"x"), Sent(packed), Sent(packed)])
    pieces = list(Parser(_contract("gzip"), TOPIC_ID).parse_all([records]))
    assert [len(piece) for piece in pieces] == [5, 1]
    offsets = [row["provenance"]["offset"] for piece in pieces for row in piece.to_pylist()]
    assert offsets == list(range(6))


def test_the_stream_of_another_writer_is_read() -> None:
    written = io.BytesIO()
    with gzip.GzipFile("with a name", "wb", 1, written) as stream:
        stream.write(VALUE)
    assert _plain([written.getvalue()], "gzip") == [VALUE]
