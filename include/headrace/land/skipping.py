"""Offsets that a person gives up, because no process can land them: noted as a gap, and landing goes on."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from headrace.errors import SettingsError
from headrace.land.noting import note
from headrace.offsets import OffsetRange, Position, Ranges, advance, text
from headrace.task_log import say

if TYPE_CHECKING:
    from headrace.land.landing import Landing

REASON = "given up by a run's parameter skip_offsets"

OFFSETS = re.compile(r"(\d{1,9}):(\d{1,18})(?:-(\d{1,18}))?")
"""`partition:offset`, or `partition:first-last`."""


def parse_offsets(written: str) -> Ranges:
    """The offsets that a run's parameter names: `0:1234-1240 3:17`, the last of each included.

    Raises:
        SettingsError: it is not of that form.
    """
    found = []
    for part in written.replace(",", " ").split():
        match = OFFSETS.fullmatch(part)
        first, last = (int(match[2]), int(match[3] or match[2])) if match else (1, 0)
        if match is None or last < first:
            raise SettingsError(
                f"skip_offsets {written!r}: {part!r} is no partition:first-last, such as 0:1234-1240"
            )
        found.append(OffsetRange(partition=int(match[1]), start=first, until=last + 1))
    return tuple(sorted(found, key=lambda each: (each.partition, each.start)))


def named(ranges: Iterable[OffsetRange]) -> str:
    """The ranges as the parameter takes them."""
    return " ".join(f"{each.partition}:{each.start}-{each.until - 1}" for each in ranges)


def next_skipped(skip: Ranges, stands: Position, until: Position) -> dict[int, OffsetRange]:
    """Of each partition the next offsets to be skipped; what is landed of them already stays landed.

    Raises:
        SettingsError: they end beyond the slice.
    """
    due: dict[int, OffsetRange] = {}
    for each in skip:
        stood = stands.get(each.partition, 0)
        if each.until <= stood or each.partition in due:
            continue
        if each.until > until.get(each.partition, 0):
            raise SettingsError(
                f"skip_offsets {named((each,))}: the run's slice ends at {until.get(each.partition, 0)} "
                "there; name offsets of it"
            )
        due[each.partition] = each.model_copy(update={"start": max(stood, each.start)})
    return due


def skip_over(landing: "Landing", stands: Position, due: Iterable[OffsetRange]) -> dict[int, int]:
    """Note these offsets as a gap; the position after it."""
    skipped = tuple(due)
    gap = note(landing.attempt, "gap", landing.run_slice.topic_id, skipped, REASON)
    say(f"batch {gap.batch}: gap {text(skipped)}, {gap.records} offsets, {REASON}")
    return advance(stands, skipped)
