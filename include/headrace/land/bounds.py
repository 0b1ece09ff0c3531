"""Where a run's parameters `from` and `until` let its slice begin and end: at offsets, or at a time.

`from` is for the first landing of an external topic: what lies before it was never promised, and `batches`
notes it as a gap. From then on landing begins where it stands, or records would be passed over in silence.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headrace.errors import SettingsError
from headrace.kafka.topics import log_start, offsets_at
from headrace.land.noting import note
from headrace.offsets import Position, between, position_text, text
from headrace.tables.attempt import Attempt
from headrace.tables.batches import landed_position
from headrace.tables.slices import Slice, find_slice
from headrace.tables.warehouse import Warehouse
from headrace.task_log import say

BEFORE = "before the run's parameter from"
"""Why there is such a gap, in words."""

OFFSETS = re.compile(r"(\d{1,9}):(\d{1,18})")

Bound = Mapping[int, int] | datetime
"""Offsets of partitions, or the time of records by Kafka's timestamp."""


def parse_bound(parameter: str, written: str | None) -> Bound | None:
    """What a parameter says: `0:1200 1:900`, or an instant such as `2026-03-01T06:00+03:00`; None: nothing.

    Raises:
        SettingsError: it is neither.
    """
    parts = (written or "").replace(",", " ").split()
    if not parts:
        return None
    offsets = [OFFSETS.fullmatch(part) for part in parts]
    found = {int(match[1]): int(match[2]) for match in offsets if match}
    if len(found) == len(parts):
        return found
    try:
        moment = datetime.fromisoformat(written or "")
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingsError(
            f"{parameter} {written!r}: is neither partition:offset, each partition once (0:1200 1:900), nor "
            "a time with its zone's offset (2026-03-01T06:00+03:00)"
        )
    return moment


def position_of(config: Mapping[str, Any], topic: str, bound: Bound | None, default: Position) -> Position:
    """The offsets that the bound stands for, `default`'s where it names none; raises as `offsets_at`.

    Raises:
        SettingsError: it names a partition that the topic does not have.
    """
    if bound is None:
        return default
    named = offsets_at(config, topic, bound) if isinstance(bound, datetime) else bound
    if unknown := sorted(set(named) - set(default)):
        raise SettingsError(
            f"topic {topic} has no partition {', '.join(map(str, unknown))}: its partitions are "
            f"{', '.join(map(str, sorted(default)))}. Trigger a run that names those"
        )
    return {partition: named.get(partition, at) for partition, at in default.items()}


def require_beginning(warehouse: Warehouse, topic_id: str, run_id: str) -> None:
    """Whether a run may say where landing begins: only before anything of the topic was landed.

    Raises:
        SettingsError: it was, and not by this run.
    """
    stands = landed_position(warehouse, topic_id)
    if stands and find_slice(warehouse, run_id) is None:
        raise SettingsError(
            f"stream {warehouse.stream}: the parameter from says where the first landing of a topic begins, "
            f"and this one is landed up to {position_text(stands)}: a later beginning would pass records "
            "over, an earlier one is landed already. Trigger a run without it; to give offsets up, name them "
            "in skip_offsets"
        )


def settle_beginning(
    attempt: Attempt, run_slice: Slice, kafka: Mapping[str, Any], begin: Bound | None
) -> None:
    """Note what lies before the beginning as a gap, where nothing of the topic was landed yet."""
    stands = landed_position(attempt.warehouse, run_slice.topic_id)
    starts = log_start(kafka, run_slice.topic) if begin else {}
    if begin is None or any(at > starts.get(each, 0) for each, at in stands.items()):
        return
    begins = position_of(
        kafka, run_slice.topic, begin, {each: starts.get(each, 0) for each in run_slice.until}
    )
    passed = between(stands, {each: min(at, run_slice.until[each]) for each, at in begins.items()})
    if passed:
        gap = note(attempt, "gap", run_slice.topic_id, passed, BEFORE)
        say(f"batch {gap.batch}: gap {text(passed)}, {gap.records} offsets, {BEFORE}")


def end_within(
    config: Mapping[str, Any], topic: str, start: Position, end: dict[int, int], bound: Bound | None
) -> dict[int, int]:
    """Where a slice ends that begins at `start`: at the bound, and never behind the log's end.

    Raises:
        SettingsError: all before the bound is landed, so that the run would land nothing though more waits.
    """
    if bound is None:
        return end
    limit = position_of(config, topic, bound, end)
    until = {each: min(at, max(limit[each], start.get(each, 0))) for each, at in end.items()}
    if not between(start, until) and between(start, end):
        raise SettingsError(
            f"topic {topic}: what lies before the run's parameter until ({position_text(limit)}) is landed: "
            f"the tables stand at {position_text(start)}. Trigger a run with a later end, or without one"
        )
    if until != end:
        say(
            f"the run's parameter until ends its slice at {position_text(until)}, the topic ends at "
            f"{position_text(end)}"
        )
    return until
