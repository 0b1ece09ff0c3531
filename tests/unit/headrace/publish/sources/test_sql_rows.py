"""The rows of a query behind its cursor, as JSON Lines of texts, from a real database."""

import io
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headrace.contract.source import SqlSource
from headrace.errors import HeadraceError, SettingsError, SourceError, SourceMissing
from headrace.publish.sources.sql_rows import SqlRows, _value, shown

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def url(tmp_path: Path) -> sa.URL:
    return sa.make_url(f"sqlite:///{tmp_path}/plant.db")


def execute(url: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def written(
    url: sa.URL, query: str, cursor: str = "id", reached: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    source = SqlSource(kind="sql", connection="plant", query=query, cursor=cursor)
    file = io.BytesIO()
    rows, last = SqlRows(source, url, reached).write(file)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert len(lines) == rows
    return lines, last


def test_what_lies_behind_the_cursor_is_written_in_its_order(url: sa.URL) -> None:
    execute(
        url, "CREATE TABLE r (id INTEGER, v TEXT)", "INSERT INTO r VALUES (10, 'b'), (9, 'a'), (11, NULL)"
    )
    query = "SELECT id, v FROM r;"
    rows, reached = written(url, query)
    assert rows == [{"id": "9", "v": "a"}, {"id": "10", "v": "b"}, {"id": "11", "v": None}]
    assert shown(reached) == "11"
    assert written(url, query, reached=reached) == ([], reached)
    execute(url, "INSERT INTO r VALUES (100, 'c'), (8, 'late')")
    assert written(url, query, reached=reached)[0] == [{"id": "100", "v": "c"}]  # as a number, not a text


def test_a_row_that_comes_later_without_a_cursor_is_not_passed_over(url: sa.URL) -> None:
    execute(url, "CREATE TABLE r (id INTEGER, v TEXT)", "INSERT INTO r VALUES (1, 'a')")
    _, reached = written(url, "SELECT * FROM r")
    execute(url, "INSERT INTO r VALUES (NULL, 'b')")
    with pytest.raises(SourceError, match="column 'id': is a NoneType, which is no cursor"):
        written(url, "SELECT * FROM r", reached=reached)


def test_colons_and_hostile_names_in_a_query_are_the_databases(url: sa.URL) -> None:
    execute(
        url, 'CREATE TABLE r ("my ""id"" :x" TEXT, v TEXT)', "INSERT INTO r VALUES ('a', 'x'), ('b', 'y')"
    )
    query = """SELECT "my ""id"" :x", 'at 12:00 :reached' AS c FROM r"""
    rows, reached = written(url, query, 'my "id" :x')
    assert [row["c"] for row in rows] == ["at 12:00 :reached"] * 2
    assert written(url, query, 'my "id" :x', reached)[0] == []


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (sa.Integer(), [9, 10, 2**40]),
        (sa.Text(), ["", "a'; DROP TABLE r", "b"]),
        (sa.Numeric(20, 4, asdecimal=True), [Decimal("1.5"), Decimal("9"), Decimal("10.25")]),
        (sa.DateTime(), [NEW_YEAR, NEW_YEAR.replace(microsecond=1), NEW_YEAR.replace(year=2025)]),
        (sa.Date(), [date(2024, 1, 9), date(2024, 1, 10), date(2024, 2, 1)]),
    ],
)
def test_a_cursor_comes_back_as_the_value_that_it_was(kind: Any, values: list[Any]) -> None:
    stamps = [SqlRows(SOURCE, sa.make_url("sqlite://"), None)._stamp(each, 1) for each in values]
    assert [_value(each) for each in stamps] == values


SOURCE = SqlSource(kind="sql", connection="plant", query="SELECT 1 AS id", cursor="id")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("ä", "ä"),
        (True, "true"),
        (2**70, str(2**70)),
        (0.1, "0.1"),
        (float("-inf"), "-Infinity"),
        (float("nan"), "NaN"),
        (Decimal("1200.250"), "1200.250"),
        (NEW_YEAR.replace(month=3, hour=12), "2024-03-01T12:00:00.000000"),
        (datetime(2024, 3, 1, 12, tzinfo=UTC), "2024-03-01T12:00:00.000000Z"),
        (date(2024, 3, 1), "2024-03-01"),
        (time(12), "12:00:00.000000"),
    ],
)
def test_a_value_is_the_text_that_stands_for_it(value: Any, text: str | None) -> None:
    assert SqlRows(SOURCE, sa.make_url("sqlite://"), None)._text(value, "v", 1) == text


@pytest.mark.parametrize(
    ("query", "kind", "message"),
    [
        ("SELECT 1 AS x", SourceError, "connection plant refuses source.query: no such column: id"),
        ("SELEKT 1", SourceError, "connection plant refuses source.query: near"),
        ("SELECT NULL AS id", SourceError, r"row 1, column 'id': is a NoneType, which is no cursor"),
        ("SELECT 1.5 AS id", SourceError, "row 1, column 'id': is a float, which is no cursor"),
        ("SELECT 1 AS id, x'00' AS b", SourceError, "column 'b': is a bytes, which has no text of its"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused(
    url: sa.URL, query: str, kind: type[HeadraceError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        written(url, query)


def test_a_database_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="connection plant: cannot be reached: unable to open database"):
        written(sa.make_url(f"sqlite:///{tmp_path}/absent/plant.db"), "SELECT 1 AS id")


def test_a_database_without_a_driver_is_named_without_its_password() -> None:
    with pytest.raises(SettingsError, match="install the database's driver") as refused:
        written(sa.make_url("nosuchdb://me:secret@host/db"), "SELECT 1 AS id")
    assert "secret" not in str(refused.value)
