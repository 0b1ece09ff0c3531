"""What a kept driver does to be warm: a landing and an analysis in small, by the stages' own code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from headrace_spark import warm_up as module
from headrace_spark.warm_up import warm_up


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def spark(spark: SparkSession) -> Iterator[SparkSession]:
    """The session of all tests, with the zone that it had."""
    before = spark.conf.get("spark.sql.session.timeZone")
    yield spark
    spark.conf.set("spark.sql.session.timeZone", str(before))


def test_all_steps_are_taken_and_leave_nothing_behind(
    spark: SparkSession, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    analysed: list[int] = []

    def counted(spark: SparkSession, attempt: object) -> None:
        real(spark, attempt)
        analysed.append(1)

    real = module.analyse
    monkeypatch.setattr(module, "analyse", counted)
    warm_up(spark, lambda: False)
    assert analysed
    assert capsys.readouterr().out == ""
    assert list((home / "scratch").iterdir()) == []


def test_a_job_that_has_come_ends_it(spark: SparkSession, home: Path) -> None:
    asked: list[int] = []

    def enough() -> bool:
        asked.append(1)
        return True

    warm_up(spark, enough)
    assert asked == [1]
