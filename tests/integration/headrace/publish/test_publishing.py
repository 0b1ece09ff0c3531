"""Publishing through a real broker: each row once, in order, and again only when somebody wants it."""

from dataclasses import replace

import pytest
from confluent_kafka import Message

from headrace.contract.source import CsvSource, ExternalSource
from headrace.errors import (
    ContractError,
    DeliveryIncomplete,
    PublicationBroken,
    SourceError,
    TopicMissing,
    TopicRecreated,
)
from headrace.kafka.topics import describe_topic, ensure_topic, log_end
from headrace.publish import publishing
from headrace.publish.publications import change_publications
from headrace.tables.warehouse import Warehouse
from testbed.published import ROWS, T1, assert_each_once, row_number
from tests.integration.headrace.publish.conftest import Publisher


def test_each_row_is_published_once(publisher: Publisher) -> None:
    said: list[str] = []
    first = publisher.publish("first", report=said.append)
    assert (first.rows, first.published, first.resumed_at) == (ROWS, ROWS, 1)
    assert len(said) == 7
    assert "published rows 50001-50530 of 50530" in said[5]
    records = publisher.visible()
    assert_each_once(records)
    assert {_publication(each) for each in records} == {first.publication.encode()}

    second = publisher.publish("second")
    assert (second.published, second.resumed_at, second.until) == (0, ROWS + 1, first.until)
    config, topic = publisher.config, publisher.topic
    assert log_end(config, topic, committed=False) == log_end(config, topic)
    assert len(publisher.visible()) == ROWS

    (noted,) = publisher.publications()
    assert noted.model_dump(exclude={"started", "finished"}) == {
        "publication": first.publication,
        "source": "include/data/wind_turbine/T1.csv",
        "sha256": "b36ebb7f268f40750795b27c92c34ef2ed12409d5cf5708d4bae16e14bf77b49",
        "rows": ROWS,
        "topic": topic,
        "topic_id": describe_topic(config, topic).topic_id,
        "run_id": "first",
        "state": "published",
        "until": first.until,
        "encoding": None,
        "delimiter": None,
        "options": publisher.contract.source.model_dump_json(),
        "size": T1.stat().st_size,
        "first": 1,
        "continues": None,
        "own_sha256": None,
        "proven": True,
        "at_least_once": False,
        "stamp": None,
    }
    assert noted.finished is not None
    assert noted.started < noted.finished


def _publication(message: Message) -> bytes:
    ((_, value),) = message.headers() or []
    assert isinstance(value, bytes)
    return value.split(b":")[1]


def test_an_unchanged_file_is_published_without_a_producer(
    own: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = own.publish("1")
    copy = own.settings.spool_path / first.sha256
    before = copy.stat().st_ino
    monkeypatch.setattr(publishing, "Transactions", None)
    assert (own.publish("2").published, own.publish("2").until) == (0, first.until)
    assert copy.stat().st_ino == before
    assert [row.run_id for row in own.publications()] == ["1"]


def test_a_damaged_copy_of_an_unchanged_file_is_replaced(own: Publisher) -> None:
    copy = own.settings.spool_path / own.publish("1").sha256
    sound = copy.read_bytes()
    copy.write_bytes(sound.replace(b"2018", b"2019"))
    assert own.publish("2").published == 0
    assert copy.read_bytes() == sound


def test_an_unchanged_file_is_refused_where_the_contract_has_changed(own: Publisher) -> None:
    own.publish("1")
    record = own.contract.record.model_copy(update={"entity": "mill"})
    changed = replace(own, contract=own.contract.model_copy(update={"record": record}))
    with pytest.raises(SourceError, match="line 1, field 'mill': the column is missing"):
        changed.publish("2")


def test_a_topic_that_has_lost_its_end_is_found_though_the_file_has_not_changed(own: Publisher) -> None:
    until = own.publish("1").until
    beyond = {"until": {partition: end + 1 for partition, end in until.items()}}
    warehouse = Warehouse.of(own.settings, own.contract.stream)
    change_publications(warehouse, lambda rows: [row.model_copy(update=beyond) for row in rows])
    with pytest.raises(PublicationBroken, match=f"by {len(until)} offsets: the broker has lost"):
        own.publish("2")


def test_a_publisher_that_may_still_run_is_fenced_though_the_file_is_as_published(
    own: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was another one for a while, and who published that was stopped on the way."""
    own.publish("1")
    own.write(5)
    with monkeypatch.context() as patch:
        patch.setattr(publishing.Transactions, "commit", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            own.publish("2")
    assert own.states() == ["published", "publishing"]
    own.write(3)
    assert own.publish("3").published == 0
    assert own.states() == ["published", "superseded"]


def test_a_file_that_is_read_in_another_way_than_when_it_was_begun_is_refused(
    own: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publishing.Transactions, "commit", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            own.publish("1")
    warehouse = Warehouse.of(own.settings, own.contract.stream)
    change_publications(warehouse, lambda rows: [row.model_copy(update={"rows": 7}) for row in rows])
    with pytest.raises(
        PublicationBroken, match=r"was begun when .* had 7 rows; .* bytes have 3\. Trigger a run"
    ):
        own.publish("2")
    assert own.publish("3", republish=True).published == 3


def _interrupted(*_: object, **__: object) -> int:
    raise KeyboardInterrupt


def test_a_changed_file_supersedes_what_was_published(own: Publisher) -> None:
    own.publish("1")
    own.write(5, behind=1)
    assert own.publish("2").published == 5
    assert own.states() == ["superseded", "published"]
    assert sorted(map(row_number, own.visible())) == [1, 1, 2, 2, 3, 3, 4, 5]
    own.write(3)
    assert own.publish("3").published == 0
    assert own.states() == ["published", "superseded"]
    own.write(5)
    assert own.publish("grown").published == 2
    assert own.states() == ["superseded", "superseded", "published"]
    assert sorted(map(row_number, own.visible())) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    own.write(0)
    assert own.publish("4").published == 0


def test_republish_publishes_once_more_and_once_only(own: Publisher) -> None:
    first = own.publish("1")
    again = own.publish("2", republish=True)
    assert (again.published, again.publication == first.publication) == (3, False)
    assert own.publish("2", republish=True).published == 0
    last = own.publish("3")
    assert (last.published, last.publication) == (0, again.publication)
    assert own.states() == ["superseded", "published"]
    assert len(own.visible()) == 6


def test_a_topic_that_was_made_again_needs_a_republish(own: Publisher) -> None:
    own.publish("1")
    own.admin.delete_topics([own.topic])[own.topic].result(30)
    with pytest.raises(TopicMissing):
        own.publish("2")
    ensure_topic(own.config, own.contract.topic)
    with pytest.raises(TopicRecreated, match="republish"):
        own.publish("2")
    assert own.publish("3", republish=True).published == 3
    assert own.publish("4").published == 0


def test_another_topic_gets_the_source_as_well(own: Publisher) -> None:
    own.publish("1")
    other = own.into("other")
    assert other.publish("2").published == 3
    assert other.publish("3").published == 0
    assert own.states() == ["superseded", "published"]


def test_a_source_is_refused_before_its_first_record(own: Publisher) -> None:
    own.write(20_000)
    assert isinstance(own.contract.source, CsvSource)
    with own.contract.source.file.open("ab") as file:
        file.write(b"half a row")
    with pytest.raises(SourceError, match="line 20002, field LV_ActivePower: is missing"):
        own.publish("1")
    assert own.written() == []
    assert own.states() == []
    assert list(own.settings.spool_path.iterdir()) == []


def test_a_record_that_the_topic_finds_too_large_is_the_sources_fault(own: Publisher) -> None:
    small = own.into("small", max_message_bytes="100")
    small.write(10)
    with pytest.raises(SourceError, match=r"takes no record as large as .*max\.message\.bytes"):
        small.publish("1")
    assert small.visible() == []


def test_what_is_not_acknowledged_is_aborted(own: Publisher) -> None:
    # This topic takes no record that was made before it arrives: each one is refused.
    strict = own.into("strict", message_timestamp_before_max_ms="0")
    with pytest.raises(DeliveryIncomplete, match=r"; 0 records of the transaction were acknowledged"):
        strict.publish("1")
    assert strict.visible() == []
    assert strict.states() == ["publishing"]


def test_an_external_stream_has_nothing_to_publish(publisher: Publisher) -> None:
    external = publisher.contract.model_copy(update={"source": ExternalSource(kind="external")})
    with pytest.raises(ContractError, match="its source is external"):
        replace(publisher, contract=external).publish("1")
