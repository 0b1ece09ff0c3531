"""A row is itself by its source, its content, and how often that content was there before."""

import random
from collections import Counter
from pathlib import Path

import pytest

from headrace.errors import SpoolUnavailable
from headrace.publish import row_identity
from headrace.publish.row_identity import RowIdentities


def identities(rows: list[str], source: str = "in.csv") -> list[str]:
    counting = RowIdentities(source, len(rows))
    return [counting.of_next(row) for row in rows]


def test_a_row_keeps_its_identity_when_rows_come_before_or_behind_it() -> None:
    rows = ["a", "b", "c"]
    assert identities([*rows, "d"])[:3] == identities(rows)
    assert identities(rows[1:]) == identities(rows)[1:]
    assert identities(["0", *rows])[1:] == identities(rows)


def test_equal_rows_are_told_apart_by_their_occurrence() -> None:
    first, second, third = identities(["a", "a", "a"])
    assert len({first, second, third}) == 3
    assert identities(["a", "b", "a", "c", "a"])[::2] == [first, second, third]


def test_another_source_has_other_rows() -> None:
    assert not set(identities(["a", "b"])) & set(identities(["a", "b"], source="other.csv"))


def test_identities_stay_what_they_are_in_every_version() -> None:
    """Landed rows have them: another digest would land every row once more."""
    assert identities(["a", "a", "ä"]) == [
        "4bb33ec3322fc75d75aaf5c8571fadbe",
        "75f812a37e1a024c9d568c487eb0cc33",
        "7c3993bf527e1082fd6d377eea7b3427",
    ]


def test_content_and_occurrence_are_all_that_counts() -> None:
    """Against a dictionary, in files of many and of few contents; the table is as full as it can be."""
    for contents in (1, 3, 500, 5_000):
        drawn = random.Random(contents).choices(range(contents), k=5_000)
        seen: Counter[int] = Counter()
        itself = {}
        for row, identity in zip(drawn, identities([str(row) for row in drawn]), strict=True):
            assert itself.setdefault((row, seen[row]), identity) == identity
            seen[row] += 1
        assert len(set(itself.values())) == 5_000
    assert len(set(identities([str(row) for row in range(5_000)]))) == 5_000


def test_a_table_in_a_file_counts_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [str(row) for row in random.Random(7).choices(range(3_000), k=5_000)]
    in_memory = identities(drawn)
    monkeypatch.setattr(row_identity, "IN_MEMORY", 10_000)
    monkeypatch.setattr(row_identity, "KEPT", 100)
    counting = RowIdentities("in.csv", len(drawn), tmp_path)
    assert counting._file is not None
    assert [counting.of_next(row) for row in drawn] == in_memory
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_the_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpoolUnavailable, match=r"has no room for [0-9,]+ MB, .*; free space, or declare"):
        RowIdentities("in.csv", 1 << 50, tmp_path)
    with pytest.raises(SpoolUnavailable, match="absent: has no room"):
        RowIdentities("in.csv", 10_000_000, tmp_path / "absent")


def test_counting_takes_16_bytes_a_row() -> None:
    counting = RowIdentities("in.csv", 300_000)
    assert counting._contents.nbytes + counting._repeats.nbytes <= 16 * 300_000 + 16
