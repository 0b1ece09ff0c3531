"""Which of the two hours a local time is of, when clocks go back: by the publisher's word, or as asked."""

from typing import Any

import pytest

from headrace.contract.model import Contract
from headrace.kafka.headers import Header, signer
from testbed.arrow_records import parsed
from testbed.parse_cases import Sent, contract

SIGN = signer("0123456789abcdef0123", b"k")
BEFORE, TWICE, BEHIND = "2024-10-27 01:59", "2024-10-27 02:30", "2024-10-27 03:00"
EARLIER, LATER = 1_729_989_000_000_000, 1_729_992_600_000_000
"""02:30 in Berlin, of summer (00:30 UTC) and of winter time (01:30 UTC), by `date -d`."""


def asking(doubled: str = "by_order", offset: str = "", **record: Any) -> Contract:
    time = {
        "field": "t",
        "format": f"yyyy-MM-dd HH:mm{offset}",
        "timezone": "Europe/Berlin",
        "doubled": doubled,
    }
    shape: dict[str, Any] = {"event_time": time, "signals": [{"name": "v", "fields": ["v"]}]}
    return contract(record={"identity": ["t"]} | shape | record)


def sent(time: str, mark: str | None = None) -> Sent:
    value = f'{{"t":"{time}"}}'
    headers: list[Header] = [] if mark is None else [SIGN(1, None, value, mark)]
    return Sent(value.encode(), headers)  # type: ignore[arg-type]


def become(asked: Contract, *of_each: Sent) -> list[tuple[Any, ...]]:
    return [
        (row["reason"], row["signal_ts"] and row["signal_ts"], row["provenance"]["identity"])
        for row in parsed(of_each, asked)
    ]


def test_the_publishers_word_decides_and_tells_two_rows_apart() -> None:
    earlier, later, undecided, silent = become(
        asking(), sent(TWICE, ""), sent(TWICE, "l"), sent(TWICE, "u"), sent(TWICE)
    )
    assert earlier == silent == (None, EARLIER, f'["{TWICE}"]')
    assert later == (None, LATER, f'["{TWICE}","later"]')
    assert undecided[0] == "doubled_event_time"


@pytest.mark.parametrize("mark", ["l", "u"])
def test_a_word_that_cannot_be_changes_nothing(mark: str) -> None:
    """The zone's rules were others where it was published."""
    asked = asking(offset="[XXX]")
    rows = become(asked, sent(BEFORE, mark), sent(f"{TWICE}+01:00", mark), sent(TWICE, ""))
    assert [row[0] for row in rows] == ([None] * 3 if mark == "l" else ["doubled_event_time"] * 2 + [None])
    assert rows[0][2] == '["2024-10-26T23:59:00Z"]'


def test_by_its_instant_the_later_one_is_what_an_offset_says_it_is() -> None:
    by_order, by_offset = become(asking(offset="[XXX]"), sent(TWICE, "l"), sent(f"{TWICE}+01:00"))
    assert by_order == by_offset == (None, LATER, '["2024-10-27T01:30:00Z"]')


def test_an_identity_without_the_time_stays_as_it_is() -> None:
    (row,) = become(asking(identity=["v"]), Sent(*_with_v()))
    assert row == (None, LATER, '["1"]')


def _with_v() -> tuple[bytes, list[Any]]:
    value = f'{{"t":"{TWICE}","v":"1"}}'
    return value.encode(), [SIGN(1, None, value, "l")]


@pytest.mark.parametrize(
    ("doubled", "reason", "instant"),
    [
        ("earlier", None, EARLIER),
        ("later", None, LATER),
        ("quarantine", "doubled_event_time", None),
    ],
)
def test_what_the_contract_says_goes_before_the_order(doubled: str, reason: str, instant: int) -> None:
    for record in (sent(TWICE), sent(TWICE, "l"), sent(TWICE, "u")):
        ((said, at, identity),) = become(asking(doubled), record)
        assert (said, at, identity) == (reason, instant, f'["{TWICE}"]')


@pytest.mark.parametrize("doubled", ["by_order", "earlier", "later", "quarantine"])
def test_a_time_that_comes_once_and_one_with_an_offset_are_what_they_are(doubled: str) -> None:
    offsets = [sent(f"{TWICE}{offset}") for offset in ("+02:00", "+01:00")]
    rows = become(asking(doubled, "[XXX]"), sent(BEFORE), sent(BEHIND), *offsets)
    assert [row[0] for row in rows] == [None] * 4
    assert [row[1] for row in rows[2:]] == [EARLIER, LATER]
