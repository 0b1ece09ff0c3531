"""Envelopes and paths: the fields of JSON that has levels."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.contract.value_path import Path
from headrace.parse.json_fields import json_value, text_of
from headrace.parse.nested_fields import ABSENT, at_path
from headrace.parse.reasons import Reason
from testbed.arrow_records import parsed
from testbed.fuzzed import mutated
from testbed.parse_cases import Sent, contract

TIME = {"field": "at", "format": "iso"}
SIGNALS = [{"name": "v", "fields": ["v"]}]


def _rows(*values: str, landing: dict[str, Any] | None = None, **record: Any) -> list[dict[str, Any]]:
    whole = {"identity": ["at"], "event_time": TIME, "signals": SIGNALS} | record
    return parsed([Sent(value.encode()) for value in values], contract(record=whole, landing=landing or {}))


AFTER = '{"at": "2024-05-01T10:00:00", "v": 1.50, "note": {"a": [1]}}'
CHANGES = {
    "create": f'{{"before": null, "after": {AFTER}, "op": "c", "ts_ms": 1714557600123}}',
    "update": f'{{"before": {AFTER.replace("1.50", "1")}, "after": {AFTER}, "op": "u", "ts_ms": 5}}',
    "read": f'{{"after": {AFTER}, "source": {{"table": "t"}}, "op": "r"}}',
}
"""The envelope as Debezium's documentation has it; `payload` is around it where the schema is sent along."""


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_event_is_what_it_is_after_it(change: str) -> None:
    with_schema = f'{{"schema": {{"type": "struct"}}, "payload": {CHANGES[change]}}}'
    [row] = _rows(CHANGES[change], unwrap="after")
    assert row["reason"] is None
    assert row["signals"] == {"v": "1.50", "note": '{"a":[1]}'}
    [row] = _rows(with_schema, unwrap="payload.after")
    assert row["signals"] == {"v": "1.50", "note": '{"a":[1]}'}


@pytest.mark.parametrize(
    "value", ['{"payload": {"before": {"v": 1}, "after": null, "op": "d"}}', '{"payload": null}']
)
def test_a_delete_event_is_a_record_without_a_value(value: str) -> None:
    [row] = _rows(value, unwrap="payload.after")
    assert (row["reason"], row["value"]) == (Reason.EMPTY, value.encode())
    assert row["message"].endswith("; unwrap payload.after: null")
    [row] = _rows(value, unwrap="payload.after", landing={"tombstones": "skip_counted"})
    assert row["reason"] == Reason.TOMBSTONE


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{}", Reason.NOT_WRAPPED),
        (AFTER, Reason.NOT_WRAPPED),
        ('{"after": [1]}', Reason.NOT_WRAPPED),
        ('{"after": "{}"}', Reason.NOT_WRAPPED),
        ("[]", Reason.NOT_WRAPPED),
        ('{"after": {}, "after": {}}', Reason.REPEATED_FIELD),
        ('{"after": {"at": "x"', Reason.NOT_AN_OBJECT),
    ],
)
def test_a_value_without_its_envelope_is_refused(value: str, reason: Reason) -> None:
    [row] = _rows(value, unwrap="after")
    assert (row["reason"], row["value"]) == (reason, value.encode())


def test_paths_begin_at_the_whole_value() -> None:
    [row] = _rows(CHANGES["create"], unwrap="after", paths={"op": "op", "first": "after.note.a[0]"})
    assert row["signals"] == {"v": "1.50", "note": '{"a":[1]}', "op": "c", "first": "1"}


DEEP = '{"meta": {"ts": "2024-05-01T10:00:00"}, "data": [{"v": 7, "w.x": null}, {"v": {"n": 8}}]}'
PATHS = {"at": "meta.ts", "v": "data[0].v"}


def test_a_field_can_stand_deep() -> None:
    [row] = _rows(DEEP, paths={**PATHS, "w": 'data[0]["w.x"]', "object": "data[1].v", "absent": "data[2].v"})
    expected = json.loads(DEEP)
    assert row["signals"]["v"] == "7"
    assert row["signals"]["w"] is None
    assert json.loads(row["signals"]["object"]) == {"n": 8}
    assert "absent" not in row["signals"]
    assert json.loads(row["signals"]["data"]) == expected["data"]  # what is not named is kept


def test_what_a_path_leads_through_is_no_unknown_field() -> None:
    refuse = {"unknown_fields": "quarantine"}
    known, unknown = _rows(DEEP, '{"x": 1, ' + DEEP[1:], paths=PATHS, landing=refuse)
    assert known["reason"] is None
    assert (unknown["reason"], unknown["message"].endswith("field: x")) == (Reason.UNKNOWN_FIELD, True)


def test_a_path_is_held_to_the_signals_bounds_and_to_presence() -> None:
    signals = [{"name": "v", "fields": ["v"], "maximum": 5, "required": True}]
    above, absent = _rows(DEEP, '{"meta": {"ts": "2024-05-01T10:00:00"}}', paths=PATHS, signals=signals)
    assert (above["reason"], absent["reason"]) == (Reason.OUT_OF_RANGE, Reason.MISSING_FIELD)


def test_one_field_that_stands_at_the_top_and_deep_is_repeated() -> None:
    [row] = _rows('{"v": 1, ' + DEEP[1:], paths=PATHS)
    assert row["reason"] == Reason.REPEATED_FIELD


@settings(max_examples=300, deadline=None, database=None)
@given(value=mutated([*CHANGES.values(), f'{{"payload": {CHANGES["update"]}}}']), key=st.binary(max_size=4))
def test_whatever_an_envelope_holds_it_ends_in_a_row_that_keeps_what_is_refused(
    value: bytes, key: bytes
) -> None:
    shape = {
        "identity": ["at"],
        "event_time": TIME,
        "signals": SIGNALS,
        "unwrap": "after",
        "paths": {"op": "op", "was": "before.v", "tag": "after.note.a[0]"},
        "key": {"format": "json", "field": "id"},
        "headers": {"trace": "trace"},
    }
    [row] = parsed([Sent(value, headers=[("trace", key)], key=key)], contract(record=shape))
    if row["reason"]:
        assert (row["value"], row["key"], row["headers"][0]["value"]) == (value, key, key)
    else:
        assert json.loads(value)["after"]["at"]
        assert row["signals"]["trace"] == key.decode()


NAMES = st.sampled_from(["a", "b", "c.d", ""])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", "x", "1"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, database=None)
@given(value=JSON, path=st.lists(st.one_of(NAMES, st.integers(0, 2)), min_size=1, max_size=4).map(tuple))
def test_a_path_leads_where_pythons_own_reading_has_it(value: Any, path: Path) -> None:
    expected = value
    for step in path:
        if expected is None:
            break
        try:
            fits = isinstance(expected, list if isinstance(step, int) else dict)
            expected = expected[step] if fits else ABSENT
        except (KeyError, IndexError):
            expected = ABSENT
    found = at_path(json_value(json.dumps(value).encode()), path)
    if expected is ABSENT:
        assert found is ABSENT
        return
    text = text_of(found)
    if isinstance(expected, str) or expected is None:
        assert text == expected
    else:
        assert json.loads(text or "") == expected
