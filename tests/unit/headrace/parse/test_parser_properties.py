"""Whatever the bytes are: no record stops the parser, and what Python's strict reader refuses is refused."""

from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.parse.parser import Parser
from headrace.parse.reasons import Reason
from testbed.arrow_records import batch, parsed
from testbed.fuzzed import altered, mutated, strictly
from testbed.parse_cases import REAL, TOPIC_ID, Sent, contract, every_option

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


EVERY_OPTION = Parser(every_option(), TOPIC_ID)


@settings(max_examples=6, deadline=None, database=None)
@given(values=st.lists(st.one_of(mutated(REAL), altered(REAL)), min_size=15, max_size=15))
def test_with_every_option_a_record_is_read_as_among_others(values: list[bytes]) -> None:
    """And what is kept is a text of the record, or null."""
    whole = batch([Sent(value) for value in values])
    rows = EVERY_OPTION.parse(whole).to_pylist(maps_as_pydicts="strict")
    alone = [EVERY_OPTION.parse(whole.slice(at, 1)) for at in range(len(values))]
    assert [each.to_pylist(maps_as_pydicts="strict") for each in alone] == [[row] for row in rows]
    for row, value in zip(rows, values, strict=True):
        pairs = strictly(value)
        if row["reason"] is None and pairs is not None:
            texts = {text.strip() for _, text in pairs if isinstance(text, str)}
            kept = {text for text in row["signals"].values() if text and text[0] not in "[{tf"}
            assert kept <= texts, value


def _name(field: str) -> str:
    return "Power (kW)" if field == "p" else field
