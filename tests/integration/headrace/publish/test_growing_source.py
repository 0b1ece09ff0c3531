"""A file that grows, is published again or loses its first rows, without an identity: each row lands once."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from headrace.errors import SourceError
from headrace.kafka.headers import Header
from headrace.publish import publishing
from headrace.publish.publications import change_publications
from headrace.publish.publishing import publish
from headrace.publish.source_records import Record, source_records
from headrace.reconcile.reconciliation import reconcile
from headrace.tables.slices import fix_slice
from tests.integration.headrace.publish.conftest import Growing, assert_balanced, values


def test_each_row_of_a_growing_file_lands_once(growing: Growing) -> None:
    """Of one that has grown the new rows alone are published; written anew it is published whole."""
    growing.write(1)
    growing.publish("first")
    assert growing.landed() == (values(1), 0)

    growing.write(1, 2)
    assert (growing.publish("grown").published, growing.publish("unchanged").published) == (25, 0)
    assert growing.landed() == (values(1, 2), 0)

    assert growing.publish("again", republish=True).published == 50
    assert growing.landed() == (values(1, 2), 50)

    growing.write(1, 2, 3)
    assert (growing.publish("grown again").published, growing.rows()) == (
        25,
        [(1, 25), (26, 50), (1, 50), (51, 75)],
    )
    assert growing.landed() == (values(1, 2, 3), 50)

    growing.write(2, 3, 4)
    assert growing.publish("rolled").published == 75
    assert growing.landed() == (values(1, 2, 3, 4), 100)
    assert_balanced(growing)


def test_rows_that_are_added_and_are_equal_to_earlier_ones_are_rows_of_their_own(growing: Growing) -> None:
    """Who counts them reads the rows before, which stand in other copies."""
    growing.write(1)
    growing.publish("first")
    growing.write(1, 1)
    assert growing.publish("grown").published == 25
    assert growing.landed() == (sorted(values(1) * 2), 0)
    growing.write(1, 1, 1)
    assert growing.publish("whole", republish=True).published == 75
    assert growing.landed() == (sorted(values(1) * 3), 50)
    assert_balanced(growing)


@pytest.mark.parametrize("stopped", [1, 2], ids=["at first", "when it had grown"])
def test_one_that_was_broken_off_is_finished_before_what_has_come_since(
    growing: Growing, monkeypatch: pytest.MonkeyPatch, stopped: int
) -> None:
    monkeypatch.setattr(publishing, "ROWS", 10)
    if stopped == 2:
        growing.write(1)
        growing.publish("first")
    growing.write(*range(1, stopped + 1))
    with pytest.raises(KeyboardInterrupt):
        publish(growing.stream.contract, growing.settings, growing.stream.config, "killed", report=stop)
    forget_progress(growing)
    growing.write(*range(1, stopped + 2))
    assert growing.publish("resumed").published == 25
    assert growing.rows() == [(1, 25), (26, 50), (51, 75)][: stopped + 1]
    assert growing.landed() == (values(*range(1, stopped + 2)), 0)
    assert_balanced(growing)


def test_a_row_that_was_cut_off_when_it_was_read_is_published_as_it_is_now(growing: Growing) -> None:
    growing.write(1)
    file = growing.file
    whole = file.read_text("utf-8")
    file.write_text(whole.removesuffix("23\n"), "utf-8")
    growing.publish("cut off")
    file.write_text(whole, "utf-8")
    assert growing.publish("whole").published == 25
    assert growing.landed() == (sorted([*values(1), "1"]), 24)


def test_a_fault_in_what_has_come_is_named_by_its_line_in_the_file(growing: Growing) -> None:
    growing.write(1)
    growing.publish("first")
    with growing.file.open("a", encoding="utf-8") as file:
        file.write("2024-03-02 00:00\n")
    with pytest.raises(SourceError, match=r"current\.csv, line 27, field v: is missing"):
        growing.publish("grown")


def test_the_limit_is_of_what_is_new_and_a_row_is_refused_once(growing: Growing) -> None:
    """Old rows do not thin out a bad day, neither of a file that has grown nor of one written anew."""
    good, old, bad = hours(1, 300), "2024-01-01 00:00,bad", [f"{time},bad" for time in hours(301, 310)]
    growing.write_rows(old, *(f"{time},1" for time in good))
    growing.publish("first")
    first, until = growing.outcome({})
    assert first.error is None
    growing.write_rows(old, *(f"{time},1" for time in good), *bad[:5])
    assert growing.publish("grown").published == 5
    grown, until = growing.outcome(until)
    assert grown.error is not None
    assert (grown.error.code, "5 of 5 new records (100.0%)" in grown.error.message) == ("HR406", True)
    growing.write_rows(*(f"{time},1" for time in good[1:]), old, *bad)
    assert growing.publish("written anew").published == 308
    anew, _ = growing.outcome(until)
    assert anew.error is not None
    assert "4 of 4 new records (100.0%)" in anew.error.message
    assert "quarantined 4 duplicates 298 refused before 6 in" in anew.output
    assert_balanced(growing)


def hours(first: int, last: int) -> list[str]:
    return [f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00" for hour in range(first, last)]


def stop(said: str) -> None:
    if said.startswith("published rows"):
        raise KeyboardInterrupt(said)


def test_a_publication_that_was_broken_off_doubles_nothing(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on behind the first of two equal rows: the second is still the second."""
    monkeypatch.setattr(publishing, "ROWS", 24)
    growing.write(1)

    def stop(said: str) -> None:
        raise KeyboardInterrupt(said)

    with pytest.raises(KeyboardInterrupt, match="published rows 1-24"):
        publish(growing.stream.contract, growing.settings, growing.stream.config, "killed", report=stop)
    assert growing.landed() == (values(1)[:-1], 0)
    assert growing.publish("resumed").resumed_at == 25
    assert growing.landed() == (values(1), 0)
    assert growing.publish("again", republish=True).published == 25
    assert growing.landed() == (values(1), 25)


def test_what_a_version_with_three_headers_began_is_resumed_landed_and_reconciled(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row with them and one with the new header are the same row; only the topic tells how far it came."""
    monkeypatch.setattr(publishing, "ROWS", 24)
    growing.write(1)

    def stop(said: str) -> None:
        raise KeyboardInterrupt(said)

    with monkeypatch.context() as before:
        before.setattr(publishing, "source_records", with_three_headers)
        with pytest.raises(KeyboardInterrupt, match="rows 1-24"):
            publish(growing.stream.contract, growing.settings, growing.stream.config, "before", report=stop)
    forget_progress(growing)
    warehouse = growing.stream.warehouse(growing.settings.warehouse_path)
    change_publications(warehouse, lambda rows: [row.model_copy(update={"proven": False}) for row in rows])
    assert growing.publish("resumed").resumed_at == 25
    fix_slice(warehouse, growing.stream.slice_to_end())
    assert growing.landed() == (values(1), 0)
    entry = reconcile(growing.stream.contract, growing.settings, growing.stream.config, "a run")
    ((rows, landed, quarantined),) = [(each.rows, each.landed, each.quarantined) for each in entry.sources]
    assert (entry.balanced, rows, landed, quarantined) == (True, 25, 25, 0)
    assert growing.publish("again", republish=True).published == 25
    assert growing.landed() == (values(1), 25)


def with_three_headers(*arguments: Any, **more: Any) -> Iterator[Record]:
    """The records as versions of before 2026-11-26 sent them."""
    for row, key, value, ((_, header),) in source_records(*arguments, **more):
        assert isinstance(header, bytes)
        _, publication, number, _, identity, _ = header.split(b":")
        before: list[Header] = [
            ("headrace-publication", publication),
            ("headrace-sha256", b"0" * 64),
            ("headrace-row", number),
            ("headrace-identity", identity),
        ]
        yield row, key, value, before


def forget_progress(growing: Growing) -> None:
    """What Kafka does with the offsets of a group that nobody has used for a week."""
    admin = AdminClient(growing.stream.config)
    groups = [each.group_id for each in admin.list_consumer_groups().result().valid]
    own = [group for group in groups if group.startswith(f"headrace.{growing.stream.contract.stream}.")]
    for future in admin.delete_consumer_groups(own).values():
        future.result(30)
