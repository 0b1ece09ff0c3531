"""Whatever the bytes are: no record stops the parser, and what Python's strict reader refuses is refused."""

from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.parse.reasons import Reason
from testbed.arrow_records import parsed
from testbed.fuzzed import mutated, strictly
from testbed.parse_cases import REAL, Sent, contract

UNREADABLE = {Reason.EMPTY, Reason.NOT_UTF8, Reason.NOT_AN_OBJECT}


@settings(max_examples=100, deadline=None, database=None)
@given(values=st.lists(mutated(REAL), min_size=20, max_size=20))
def test_it_reads_what_python_reads_and_refuses_the_rest(values: list[bytes]) -> None:
    rows = parsed([Sent(value) for value in values], contract())
    assert len(rows) == len(values)
    for row, value in zip(rows, values, strict=True):
        pairs = strictly(value)
        reason = Reason(row["reason"]) if row["reason"] else None
        assert (reason in UNREADABLE) == (pairs is None), (value, reason)
        if reason is None and pairs is not None:
            texts = {_name(name): text for name, text in pairs if isinstance(text, str) and name != "time"}
            assert {name: row["signals"][name] for name in texts} == texts, value


def _name(field: str) -> str:
    return "Power (kW)" if field == "p" else field
