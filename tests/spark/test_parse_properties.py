"""Whatever the bytes are: no record stops the job, and what Python's strict reader refuses is refused."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from headrace.reasons import Reason
from headrace_spark.parse import parse
from tests.spark.records import TOPIC_ID, Sent, contract, records

REAL = (
    '{"time":"01 01 2018 00:10","p":"45.376","Wind_Speed":"5.67216682434082","note":"süd"}',
    '{"time": "31 12 2018 23:50", "p": 98.5e-1, "o": {"a": [1, 2.50, null]}, "state": "a\\"\\\\b"}',
)
UNREADABLE = {Reason.EMPTY, Reason.NOT_UTF8, Reason.NOT_AN_OBJECT}


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real record with a few of its bytes replaced, removed, doubled or moved."""
    value = bytearray(draw(st.sampled_from(REAL)).encode())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(value)))
        length = draw(st.integers(0, 3))
        piece = draw(
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from([b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"-", b"0", b"e", b"NaN"]),
                st.just(bytes(value[at : at + 20])),
            )
        )
        value[at : at + length] = piece
    return bytes(value)


def _strictly(value: bytes) -> list[tuple[str, Any]] | None:
    """Python's reading of one JSON object as pairs, numbers as their texts; None where it is none."""
    try:
        read = json.loads(
            value.decode("utf-8"),
            object_pairs_hook=_Pairs,
            parse_float=str,
            parse_int=str,
            parse_constant=str,
        )
    except (UnicodeDecodeError, ValueError):
        return None
    return read if isinstance(read, _Pairs) else None


class _Pairs(list[tuple[str, Any]]):
    """The fields of an object in their order, repeated ones repeated."""


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(values=st.lists(mutated(), min_size=150, max_size=150))
def test_spark_reads_what_python_reads_and_refuses_the_rest(spark: SparkSession, values: list[bytes]) -> None:
    frame = parse(records(spark, [Sent(value) for value in values]), contract(), TOPIC_ID)
    rows = frame.select("refusal", "signals", "provenance").collect()
    assert len(rows) == len(values)
    for row in rows:
        value = values[row.provenance.offset]
        pairs = _strictly(value)
        reason = Reason(row.refusal.reason) if row.refusal else None
        assert (reason in UNREADABLE) == (pairs is None), (value, reason)
        if reason is None and pairs is not None:
            texts = {_name(name): text for name, text in pairs if isinstance(text, str) and name != "time"}
            assert {name: row.signals[name] for name in texts} == texts, value


def _name(field: str) -> str:
    return "Power (kW)" if field == "p" else field
