"""Rules across a record's values: DuckDB says of the same values which records break them."""

import json
from typing import Any

import duckdb
import pytest

from headrace.contract.model import Contract
from headrace.contract.record import Record
from headrace.errors import ContractError
from headrace.parse.parser import Parser
from headrace.parse.rules import Rules
from testbed.arrow_records import batch
from testbed.parse_cases import TOPIC_ID, Sent, contract

SIGNALS = [
    {"name": "low", "fields": ["low"]},
    {"name": "high value", "fields": ["high"]},
    {"name": "n", "fields": ["n"], "type": "integer"},
    {"name": "price", "fields": ["price"], "type": "decimal(6, 2)"},
    {"name": "word", "fields": ["word"], "type": "string"},
    {"name": "on", "fields": ["on"], "type": "boolean"},
    {"name": "seen", "fields": ["seen"], "type": "timestamp"},
]
VALUES: list[dict[str, Any]] = [
    {"low": 1, "high": 2, "n": 3, "price": "0.10", "word": "a", "on": True, "seen": "2018-01-01 00:00:00"},
    {"low": 2, "high": 1, "n": 9007199254740993, "price": "0.30", "word": "b", "on": False},
    {"low": 2, "high": 2, "n": 0, "word": "", "seen": "2018-01-01 00:09:59"},
    {"low": None, "high": 1, "n": -1, "price": 5, "word": "it's"},
    {},
]
RULES = (
    'low <= "high value"',
    "n < 9007199254740993",
    "price <> 0.1",
    "price > low",
    "word IN ('a', 'it''s') OR word IS NULL",
    '"on" OR n = 0',
    "seen > signal_ts",
    "seen >= TIMESTAMP '2018-01-01 00:05:00'",
    "signal_ts >= TIMESTAMP '2018-01-01 00:10:00' AND n % 2 = 1",
    "CASE WHEN low IS NULL THEN n > 0 ELSE ABS(low) BETWEEN 1 AND 1.5 END",
    "COALESCE(low, 0) + n < 5",
    "TRY_CAST(word AS DOUBLE) IS NOT NULL OR word <> 'a'",
)
"""Read alike by polars and by DuckDB."""


def ruled(*expressions: str) -> Contract:
    shape = contract().record.model_dump(mode="json")
    rules = [{"name": f"rule {at}", "expression": text} for at, text in enumerate(expressions)]
    return contract(record=shape | {"signals": SIGNALS, "rules": rules})


def refusals(of: Contract) -> list[tuple[str | None, str | None]]:
    sent = [
        json.dumps({"time": f"01 01 2018 00:1{at}"} | values).encode() for at, values in enumerate(VALUES)
    ]
    parsed = Parser(of, TOPIC_ID).parse(batch([Sent(value) for value in sent]))
    return list(zip(parsed["reason"].to_pylist(), parsed["message"].to_pylist(), strict=True))


@pytest.mark.parametrize("rule", RULES)
def test_a_record_of_which_a_rule_is_false_is_refused(rule: str) -> None:
    with duckdb.connect() as base:
        base.execute(
            'CREATE TABLE r (place INT, low DOUBLE, "high value" DOUBLE, n BIGINT, price DECIMAL(6, 2), '
            'word VARCHAR, "on" BOOLEAN, seen TIMESTAMP, signal_ts TIMESTAMP)'
        )
        for at, values in enumerate(VALUES):
            word = values.get("word") or None  # an empty text is a missing value
            own = [values.get(name) for name in ("low", "high", "n", "price")]
            given = [at, *own, word, values.get("on"), values.get("seen"), f"2018-01-01 00:1{at}:00"]
            base.execute("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", given)
        broken = {at for (at,) in base.execute(f"SELECT place FROM r WHERE NOT ({rule})").fetchall()}
    assert broken
    message = f"a rule of the contract does not hold; the message names the rule; rule 0: {rule}"
    found = refusals(ruled(rule))
    assert found == [("rule_broken", message) if at in broken else (None, None) for at in range(len(VALUES))]


def test_the_first_rule_that_is_broken_is_named_and_other_reasons_go_first() -> None:
    first, second = "low < 5", "n >= 0"
    reasons = refusals(ruled(first, second, 'low <= "high value"'))
    assert [reason for reason, _ in reasons] == [None, "rule_broken", None, "rule_broken", None]
    assert "rule 2" in str(reasons[1])
    assert "rule 1" in str(reasons[3])
    parsed = Parser(ruled("low < 0"), TOPIC_ID).parse(
        batch([Sent(b'{"time": "01 01 2018 00:10", "low": "x"}'), Sent(b'{"low": 1}'), Sent(b"{")])
    )
    assert parsed["reason"].to_pylist() == ["not_a_number", "missing_field", "not_an_object"]
    assert len(Parser(ruled("low < 0"), TOPIC_ID).parse(batch([]))) == 0


@pytest.mark.parametrize(
    ("expression", "message"),
    {
        "low <": "unable to parse",
        "lwo > 1": "names 'lwo', which is none of 'entity', 'signal_ts', 'low', 'high value'",
        "low": "is Float64; a rule is a condition",
        "low + n": "a rule is a condition",
        "low > AVG(low)": "looks at other records too",
        "ROW_NUMBER() OVER (ORDER BY low) > 1": "looks at other records too",
        "LAG(low) OVER (ORDER BY n) < low": "looks at other records too",
        "QUANTILE_CONT(low, 0.5) > 1": "looks at other records too",
        "CAST(word AS DOUBLE) > 1": "say TRY_CAST",
        '"^.*$" > 1': "names 'a pattern'",
        "1 = 1": "names no signal",
        "low = (SELECT 1 FROM read_csv('/etc/passwd'))": "",
        "read_csv('/etc/passwd') = low": "unsupported function",
        "low > 1; DROP TABLE readings": "invalid expression",
        "word ~ '[a'": "regex",
    }.items(),
)
def test_what_is_no_rule_of_one_record_is_refused(expression: str, message: str) -> None:
    record = Record.model_validate(ruled(expression).record.model_dump(mode="json"))
    with pytest.raises(ContractError, match=r"field record\.rules\.0\.expression: .*rule 0'") as refused:
        Rules(record)
    assert message in str(refused.value)


def test_texts_of_a_rule_are_no_parts_of_it() -> None:
    assert [reason for reason, _ in refusals(ruled("word <> 'Len' AND word <> 'Strict'"))] == [None] * 5
