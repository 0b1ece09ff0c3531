"""Whatever the bytes are: no record stops the job, and what Python's strict reader refuses is refused."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from headrace.parse.reasons import Reason
from headrace_spark.parse import parse
from testbed.fuzzed import mutated, strictly
from testbed.parse_cases import REAL
from testbed.records import TOPIC_ID, Sent, contract, records

UNREADABLE = {Reason.EMPTY, Reason.NOT_UTF8, Reason.NOT_AN_OBJECT}


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(values=st.lists(mutated(REAL), min_size=150, max_size=150))
def test_spark_reads_what_python_reads_and_refuses_the_rest(spark: SparkSession, values: list[bytes]) -> None:
    frame = parse(records(spark, [Sent(value) for value in values]), contract(), TOPIC_ID)
    rows = frame.select("refusal", "signals", "provenance").collect()
    assert len(rows) == len(values)
    for row in rows:
        value = values[row.provenance.offset]
        pairs = strictly(value)
        reason = Reason(row.refusal.reason) if row.refusal else None
        assert (reason in UNREADABLE) == (pairs is None), (value, reason)
        if reason is None and pairs is not None:
            texts = {_name(name): text for name, text in pairs if isinstance(text, str) and name != "time"}
            assert {name: row.signals[name] for name in texts} == texts, value


def _name(field: str) -> str:
    return "Power (kW)" if field == "p" else field
