"""A topic that lost rows of a publication before they were landed."""

from datetime import UTC, datetime

from headrace.publish.lost_rows import without_lost_rows
from headrace.publish.publications import Publication
from headrace.reconcile.sources import is_accounted

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def published(name: str, until: int, topic_id: str = "ours") -> Publication:
    return Publication(
        publication=name,
        source="own.csv",
        sha256="0" * 64,
        rows=10,
        topic="own",
        topic_id=topic_id,
        run_id="a run",
        state="published",
        started=NOW,
        finished=NOW,
        until={0: until},
    )


def test_rows_that_the_topic_lost_unlanded_are_no_longer_looked_for() -> None:
    rows = [
        published("whole", 10),
        published("landed", 20),
        published("lost", 30),
        published("other", 30, "x"),
    ]
    said: list[str] = []
    after = without_lost_rows(rows, "ours", ends={0: 12}, landed={0: 25}, report=said.append)
    assert [row.publication for row in after if is_accounted(row)] == ["whole", "landed", "other"]
    assert (after[:2], after[3:]) == (rows[:2], rows[3:])
    (line,) = said
    assert "lost rows of publication lost before they were landed" in line
    assert without_lost_rows(after, "ours", {0: 12}, {0: 25}, said.append) == after
