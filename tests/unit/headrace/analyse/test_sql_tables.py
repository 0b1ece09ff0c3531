"""Gold tables by an SQL file: polars computes the same, only touched days are asked, others refused."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headrace.analyse import analysis, sql_tables
from headrace.analyse.engines import analyse_here
from headrace.analyse.sql_tables import sql_schemas
from headrace.contract.loader import WrittenContract
from headrace.contract.model import Contract
from headrace.errors import ContractError
from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.gold_commits import newest_gold
from headrace.tables.progress import nothing_to_analyse
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import land_values
from testbed.parse_cases import contract

QUERY = """
-- the strongest reading of each day, and how many there are of a state
SELECT signal_date, signals['state'] AS state, count(*) AS readings,
    max(TRY_CAST(signals['Power (kW)'] AS DOUBLE)) AS strongest,
    arg_max(signal_ts, signal_ts) AS newest, sum(1) AS ones
FROM readings GROUP BY ALL;
"""


def made(folder: Path, text: str = QUERY, **more: Any) -> Contract:
    (folder / "days.sql").write_text(text, encoding="utf-8")
    return contract(analysis={"tables": {"days": {"sql": str(folder / "days.sql")}}}, **more)


def reading(day: int, hour: int, power: float, state: str) -> bytes:
    return b'{"time": "%02d 01 2018 %02d:30", "p": %r, "state": "%s"}' % (day, hour, power, state.encode())


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    """Two days, in one batch."""
    attempt = Attempt(made(tmp_path), Warehouse(tmp_path, "small"), "r")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    rows = [reading(1, 0, 1.5, "on"), reading(1, 23, 9.25, "on"), reading(2, 1, 4, "off")]
    land_values(attempt, 0, 0, *rows)
    return attempt


def rows_of(attempt: Attempt) -> list[tuple[Any, ...]]:
    frame = scan(attempt.warehouse, "days").sort("signal_date", "state").collect()
    return frame.select("signal_date", "state", "readings", "strongest", "newest").rows()


def expected(attempt: Attempt) -> list[tuple[Any, ...]]:
    """What polars makes of the readings."""
    readings = scan(attempt.warehouse, "readings").with_columns(
        state=pl.col("signals").map.get("state"),
        power=pl.col("signals").map.get("Power (kW)").cast(pl.Float64),
    )
    days = readings.group_by("signal_date", "state").agg(
        pl.len().alias("readings"), pl.col("power").max(), pl.col("signal_ts").max()
    )
    return days.sort("signal_date", "state").collect().rows()


def test_the_query_is_a_table_of_which_touched_days_are_computed_anew(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse_here(attempt)
    assert rows_of(attempt) == expected(attempt)
    assert rows_of(attempt)[0][4] == datetime(2018, 1, 1, 20, 30, tzinfo=UTC)
    assert scan(attempt.warehouse, "days").collect_schema()["ones"] == pl.Decimal(38, 0)
    assert nothing_to_analyse(attempt.contract, attempt.warehouse)
    asked: list[date] = []
    real = sql_tables._require_day
    monkeypatch.setattr(
        sql_tables, "_require_day", lambda rows, day, place: asked.append(day) or real(rows, day, place)
    )
    land_values(attempt, 1, 3, reading(2, 2, 5, "off"), reading(3, 0, 1, "on"))
    assert not nothing_to_analyse(attempt.contract, attempt.warehouse)
    analyse_here(attempt)
    assert asked == [date(2018, 1, 2), date(2018, 1, 3)]
    assert rows_of(attempt) == expected(attempt)
    newest = newest_gold(attempt.warehouse, "days")
    assert newest
    assert (newest.metadata.batch, newest.metadata.position) == (1, {0: 5})


def test_whoever_is_killed_between_the_tables_is_gone_on_from(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[str] = []

    def killed(name: str) -> None:
        passed.append(name)
        if len(passed) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(analysis, "crash_point", killed)
        with pytest.raises(KeyboardInterrupt):
            analyse_here(attempt)
    assert not attempt.warehouse.exists("days")
    assert not nothing_to_analyse(attempt.contract, attempt.warehouse)
    analyse_here(attempt)
    assert rows_of(attempt) == expected(attempt)


def test_another_query_computes_all_days_anew(attempt: Attempt, tmp_path: Path) -> None:
    analyse_here(attempt)
    other = made(tmp_path, "SELECT signal_date, count(*) AS n FROM readings GROUP BY 1")
    assert not nothing_to_analyse(other, attempt.warehouse)
    analyse_here(Attempt(other, attempt.warehouse, "r"))
    assert scan(attempt.warehouse, "days").sort("signal_date").collect().rows() == [
        (date(2018, 1, 1), 2),
        (date(2018, 1, 2), 1),
    ]


def test_typed_columns_are_asked_by_their_names(tmp_path: Path) -> None:
    text = "SELECT signal_date, max(Power__kW_) AS p FROM readings WHERE state = 'on' GROUP BY ALL"
    of = made(tmp_path, text, landing={"columns": "typed"})
    attempt = Attempt(of, Warehouse(tmp_path, "small"), "r")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse, of)
    land_values(attempt, 0, 0, reading(1, 0, 1.5, "on"), reading(1, 1, 7, "off"))
    analyse_here(attempt)
    assert scan(attempt.warehouse, "days").collect().rows() == [(date(2018, 1, 1), 1.5)]


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "SELECT signal_date FROM": "Parser Error",
        "SELECT signal_date FROM readings; SELECT 1": "one SELECT",
        "": "one SELECT",
        "COPY readings TO '/tmp/stolen.csv'": "one SELECT",
        "SELECT signal_date FROM readings, read_csv('/etc/passwd')": "disabled by configuration",
        "SELECT signal_date FROM readings, '/etc/passwd'": "no other; it reads /etc/passwd",
        "SELECT signal_date FROM readings, read_text('/etc/passwd')": "disabled by configuration",
        "SELECT signal_date FROM 'https://example.org/x.parquet'": "no other",
        "SELECT r.signal_date FROM readings r, attempt": "no other; it reads attempt",
        "SELECT current_date AS signal_date": "no other; it reads none",
        "SELECT entity FROM readings": "must give the column `signal_date`",
        "SELECT signal_ts AS signal_date FROM readings": "must give the column `signal_date`",
        "SELECT signal_date, count(*) FROM readings GROUP BY 1": "name it with AS",
        "SELECT signal_date, 1 AS a, 2 AS A FROM readings": "stands twice",
        "SELECT signal_date, signal_ts::TIMESTAMP AS a FROM readings": "an instant to TIMESTAMPTZ",
        "SELECT signal_date, signals FROM readings": "which not every reader has",
        "SELECT signal_date, NULL AS a FROM readings": "which not every reader has",
        "SELECT signal_date, power FROM readings": "Binder Error",
    }.items(),
)
def test_what_is_no_query_over_the_readings_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ContractError, match=r"days\.sql, which analysis\.tables\.days names: ") as refused:
        sql_schemas(made(tmp_path, text))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "SELECT DATE '2018-01-01' AS signal_date FROM readings": r"readings of 2018-01-02, it gives rows",
        "SELECT signal_date, signals['state']::INT AS n FROM readings": r"on 2018-01-01: Conversion Error",
    }.items(),
)
def test_what_fails_on_the_readings_says_of_which_day(
    attempt: Attempt, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        analyse_here(Attempt(made(tmp_path, text), attempt.warehouse, "r"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    of = contract(analysis={"tables": {"days": {"sql": str(tmp_path / "days.sql")}}})
    with pytest.raises(ContractError, match=r"days\.sql.*field analysis\.tables"):
        sql_schemas(of)
    with pytest.raises(ValueError, match="'ledger' is a table of every stream"):
        contract(analysis={"tables": {"ledger": {"sql": "x.sql"}}})


def test_the_text_travels_with_the_contract(tmp_path: Path) -> None:
    of = made(tmp_path)
    file = tmp_path / "small.yaml"
    file.write_text(of.model_dump_json(exclude_defaults=True, by_alias=True), encoding="utf-8")
    written = WrittenContract.of(file)
    (tmp_path / "days.sql").unlink()
    assert written.load().analysis.sql_texts == {"days": QUERY}
