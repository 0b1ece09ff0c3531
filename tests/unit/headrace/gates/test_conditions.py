"""A condition says whether it is met and how things stand, or is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.errors import BrokerUnreachable, SettingsError
from headrace.gates.answers import Answers
from headrace.gates.conditions import parse_condition
from headrace.settings import Settings
from headrace.tables.batches import append_batch
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch

POSITION = {"topic_id": "t", "until": {"0": 5}}
CONDITIONS: dict[str, dict[str, Any]] = {
    "topic_ready": {
        "kind": "topic_ready",
        "topic": "readings",
        "partitions": 3,
        "config": {"retention.ms": "-1"},
    },
    "visible": {"kind": "visible", "topic": "readings", "until": {"0": 5}},
    "landed": {"kind": "landed", "stream": "wind_turbine", **POSITION},
    "analysed": {"kind": "analysed", "stream": "wind_turbine", **POSITION},
    "lag_below": {"kind": "lag_below", "stream": "wind_turbine", "offsets": 10_000},
    "new_records": {"kind": "new_records", "stream": "wind_turbine", "at_least": 1000},
    "complete_through": {
        "kind": "complete_through",
        "stream": "wind_turbine",
        "moment": "2018-01-02T00:00:00+03:00",
        "since": "2018-01-01",
        "missing": 3,
    },
    "table_has": {
        "kind": "table_has",
        "table": "wind_turbine/readings",
        "version": 2,
        "rows": 1000,
        "value": {"signal_date": "2018-01-01"},
    },
    "file_arrived": {"kind": "file_arrived", "path": "/data/*.csv", "quiet": 2.5},
}
WORDS = {
    "topic_ready": "topic readings answers with 3 partitions",
    "visible": "consumers of topic readings see the records up to 0:5",
    "landed": "stream wind_turbine is landed up to 0:5",
    "analysed": "the gold tables of stream wind_turbine have come up to 0:5",
    "lag_below": "stream wind_turbine lags by less than 10,000 offsets",
    "new_records": "1,000 offsets of stream wind_turbine wait to be landed",
    "complete_through": "stream wind_turbine is complete through 2018-01-02T00:00:00+03:00",
    "table_has": "table wind_turbine/readings has version 2 and 1,000 rows and "
    "rows with signal_date = 2018-01-01",
    "file_arrived": "/data/*.csv is there and has not changed for 2.5 s",
}


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """The warehouse that conditions ask; without any table."""
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path))
    made = Warehouse.of(Settings(), "wind_turbine")
    made.prepare()
    return made


@pytest.mark.parametrize("kind", CONDITIONS)
def test_a_condition_survives_the_way_to_the_triggerer_and_says_what_it_waits_for(kind: str) -> None:
    condition = parse_condition(CONDITIONS[kind])
    assert condition.model_dump(mode="json") == CONDITIONS[kind]
    assert parse_condition(json.loads(json.dumps(condition.model_dump(mode="json")))) == condition
    assert str(condition) == WORDS[kind]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "full_moon"}, "no gate condition: .*'full_moon'.*correct the gate's condition in the DAG"),
        ({**CONDITIONS["landed"], "untill": {}}, r"landed\.untill: Extra inputs"),
        (
            {**CONDITIONS["topic_ready"], "partitions": 0},
            r"topic_ready\.partitions: .*or equal to 1",
        ),
        ({"kind": "table_has", "table": "s/readings"}, "say what the table has to have"),
        ({"kind": "table_has", "table": "../s/readings", "rows": 1}, r"no '\.\.'"),
        ({**CONDITIONS["complete_through"], "moment": "2018-01-02T00:00:00"}, r"moment: .*timezone"),
        (  # what Airflow hands over where the task before was marked as success
            {**CONDITIONS["landed"], "topic_id": None, "until": None},
            r"gate condition landed: nobody has told topic_id and until: .* Clear it",
        ),
    ],
)
def test_what_is_no_condition_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_condition(fields)


def test_a_stream_is_landed_when_its_batches_have_come_to_the_end(warehouse: Warehouse) -> None:
    landed = parse_condition(CONDITIONS["landed"])
    assert landed.check(Answers({})) == (False, "stream wind_turbine: 5 offsets before 0:5 are not landed")
    append_batch(warehouse, a_batch(0, (0, 0, 6)))
    assert landed.check(Answers({})) == (True, "stream wind_turbine is landed up to 0:6")
    another = parse_condition({**CONDITIONS["landed"], "topic_id": "another"})
    assert not another.check(Answers({})).met


def test_a_stream_without_gold_tables_is_not_analysed(warehouse: Warehouse) -> None:
    analysed = parse_condition(CONDITIONS["analysed"])
    assert analysed.check(Answers({})) == (False, f"{WORDS['analysed']}: not yet")


@pytest.mark.parametrize("kind", ["topic_ready", "visible"])
def test_a_broker_that_is_away_leaves_the_question_open(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.kafka.topics.ANSWER_SECONDS", 0.5)
    with pytest.raises(BrokerUnreachable, match=r"broker 127\.0\.0\.1:1 did not answer"):
        parse_condition(CONDITIONS[kind]).check(Answers({"bootstrap.servers": "127.0.0.1:1"}))
