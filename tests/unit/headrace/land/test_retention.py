"""What the broker no longer has: refused with its ranges, or noted as a gap."""

from pathlib import Path
from typing import Any

import pytest

from headrace.errors import RecordsExpired, TopicRecreated
from headrace.land.retention import readable, settle_retention, settle_topic
from headrace.offsets import OffsetRange
from headrace.tables.attempt import Attempt
from headrace.tables.batches import append_batch, landed_position, read_batches
from headrace.tables.slices import fix_slice, new_slice
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch
from testbed.parse_cases import contract

SLICE = new_slice("a run", "readings", "topic-1", {}, {0: 10, 1: 10})
ENDS = {0: 10, 1: 10}
CSV = {"source": {"kind": "csv", "path": "x.csv"}}


def _attempt(folder: Path, **changes: Any) -> Attempt:
    attempt = Attempt(contract(**changes), Warehouse(folder, "small"), "a run")
    attempt.warehouse.prepare()
    return attempt


def _landed(attempt: Attempt, topic_id: str = "topic-1") -> None:
    append_batch(attempt.warehouse, a_batch(0, (0, 0, 4), topic_id=topic_id))


def test_expired_records_are_refused_by_name_until_the_loss_is_accepted(tmp_path: Path) -> None:
    attempt = _attempt(tmp_path)
    _landed(attempt)
    with pytest.raises(RecordsExpired, match=r"never landed: 0:\[4, 6\) 1:\[0, 1\)\. .*accept_loss"):
        settle_retention(attempt, SLICE, {0: 6, 1: 1}, accept_loss=False)
    settle_retention(attempt, SLICE, {0: 6, 1: 1}, accept_loss=True)
    gap = read_batches(attempt.warehouse)[-1]
    assert (gap.batch, gap.kind, gap.records, gap.landed) == (1, "gap", 3, 0)
    assert landed_position(attempt.warehouse, "topic-1") == {0: 6, 1: 1}


def test_an_external_topic_begins_where_its_log_starts(tmp_path: Path) -> None:
    attempt = _attempt(tmp_path)
    settle_retention(attempt, SLICE, {0: 6, 1: 0}, accept_loss=False)
    assert [row.kind for row in read_batches(attempt.warehouse)] == ["gap"]


def test_a_published_topic_must_be_whole_from_the_beginning(tmp_path: Path) -> None:
    attempt = _attempt(tmp_path, **CSV)
    with pytest.raises(RecordsExpired):
        settle_retention(attempt, SLICE, {0: 6, 1: 0}, accept_loss=False)


def test_nothing_expired_leaves_no_gap(tmp_path: Path) -> None:
    attempt = _attempt(tmp_path)
    _landed(attempt)
    settle_retention(attempt, SLICE, {0: 4, 1: 0}, accept_loss=False)
    assert len(read_batches(attempt.warehouse)) == 1


def test_a_topic_made_anew_is_refused_until_the_loss_is_accepted(tmp_path: Path) -> None:
    attempt = _attempt(tmp_path)
    settle_topic(attempt, SLICE, accept_loss=False)
    _landed(attempt, topic_id="older")
    with pytest.raises(TopicRecreated, match=r"batches came from older.*accept_loss"):
        settle_topic(attempt, SLICE, accept_loss=False)
    settle_topic(attempt, SLICE, accept_loss=True)
    assert landed_position(attempt.warehouse, "topic-1") == {}


def test_another_topic_by_the_contract_is_landed_from_its_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt = _attempt(tmp_path)
    fix_slice(attempt.warehouse, new_slice("run", "older.readings", "older", {}, {0: 4}))
    _landed(attempt, topic_id="older")
    settle_topic(attempt, SLICE, accept_loss=False)
    assert "what older.readings holds from 0:4 on is not landed" in capsys.readouterr().out
    same = SLICE.model_copy(update={"topic": "older.readings"})
    with pytest.raises(TopicRecreated):
        settle_topic(attempt, same, accept_loss=False)


def test_an_open_batch_needs_all_its_records_unless_the_loss_is_accepted(tmp_path: Path) -> None:
    attempt = _attempt(tmp_path)
    commit = attempt.batch_commit(0, "topic-1", SLICE.ranges)
    assert readable(commit, SLICE, {0: 0, 1: 0}, ENDS, accept_loss=False) == SLICE.ranges
    with pytest.raises(RecordsExpired, match="batch 0 was left open"):
        readable(commit, SLICE, {0: 3, 1: 0}, ENDS, accept_loss=False)
    left = readable(commit, SLICE, {0: 3, 1: 10}, ENDS, accept_loss=True)
    assert left == (OffsetRange(partition=0, start=3, until=10),)
    with pytest.raises(RecordsExpired, match="batch 0 was left open"):
        readable(commit, SLICE, {}, {0: 10, 1: 7}, accept_loss=False)
    left = readable(commit, SLICE, {}, {0: 0, 1: 7}, accept_loss=True)
    assert left == (OffsetRange(partition=1, start=0, until=7),)
    assert readable(attempt.batch_commit(0, "older", SLICE.ranges), SLICE, {}, ENDS, accept_loss=True) == ()
