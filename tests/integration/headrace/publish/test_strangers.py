"""Who may write to a topic writes records of their own there, and none in the name of a publication."""

import duckdb
import pytest
from confluent_kafka import Producer

from headrace.errors import WarehouseError
from headrace.publish.publications import change_publications, read_publications
from headrace.reconcile.reconciliation import reconcile
from headrace.tables.keys import key_file
from headrace.tables.queries import open_table
from headrace.tables.slices import fix_slice
from testbed.published import read
from testbed.stages import LANDERS, succeeded
from tests.integration.headrace.publish.conftest import Growing, values

STRANGE = b'{"time": "2024-03-01 00:30", "v": "9"}'


def forged(publication: str) -> list[list[tuple[str, bytes]]]:
    """Headers that say to be rows of it: one that is there, one that is not, one that cannot be."""
    rows = [b"1", b"26", b"9" * 5_000]
    name = publication.encode()
    return [
        *([("headrace", b"1:%b:%b" % (name, row))] for row in rows),
        *([("headrace", b"2:%b:%b:::0123456789abcdef" % (name, row))] for row in rows),
        *([("headrace-publication", name), ("headrace-row", row)] for row in (*rows, b"-1", b"one")),
        [("headrace-publication", name)],
    ]


def write(growing: Growing, headers: list[list[tuple[str, bytes]]]) -> None:
    producer = Producer(growing.stream.config)
    for each in headers:
        producer.produce(growing.stream.contract.topic.name, STRANGE, headers=list(each))
    assert producer.flush(30) == 0


@pytest.mark.parametrize("engine", LANDERS)
def test_forged_headers_make_records_of_strangers_and_the_account_balances(
    growing: Growing, engine: str
) -> None:
    growing.write(1)
    name = growing.publish("first").publication
    headers = forged(name)
    write(growing, headers)
    warehouse = growing.stream.warehouse(growing.settings.warehouse_path)
    own = fix_slice(warehouse, growing.stream.slice_to_end())
    succeeded(LANDERS[engine](growing.stream.job(warehouse.root, own)))
    entry = reconcile(growing.stream.contract, growing.settings, growing.stream.config, "a run")
    ((rows, landed),) = [(each.rows, each.landed) for each in entry.sources]
    assert (entry.balanced, rows, landed) == (True, 25, 25)
    (note,) = entry.notes
    assert note.startswith(f"{len(headers)} records in the tables are rows of no source")
    with duckdb.connect() as sql:
        sql.register("readings", open_table(warehouse.table("readings")).to_pyarrow_dataset())
        strange = sql.sql(
            "SELECT provenance.identity, provenance.topic_id, provenance.partition, provenance.offset "
            "FROM readings WHERE provenance.publication IS NULL AND provenance.row IS NULL "
            "AND signals['v'] = '9'"
        ).fetchall()
    places = {f'["{topic_id}","{partition}","{offset}"]' for _, topic_id, partition, offset in strange}
    assert {identity for identity, *_ in strange} == places
    assert len(places) == len(headers)


@pytest.mark.parametrize("engine", LANDERS)
def test_records_that_are_copied_word_for_word_are_duplicates_and_the_account_balances(
    growing: Growing, engine: str
) -> None:
    """Landed rows, one of an hour that comes twice, and a refused one, each copied thrice, header and all."""
    berlin = growing.asking({"event_time": {"timezone": "Europe/Berlin", "doubled": "by_order"}})
    rows = [f"2024-10-27 0{hour}:00,{at}" for at, hour in enumerate((1, 2, 2, 3))]
    berlin.write_rows(*rows, "never,5")
    berlin.publish("first")
    topic, config = berlin.stream.contract.topic.name, berlin.stream.config
    producer = Producer(config)
    for each in read(config, topic) * 3:
        producer.produce(topic, each.value(), each.key(), each.partition(), headers=each.headers())
    assert producer.flush(30) == 0
    warehouse = berlin.stream.warehouse(berlin.settings.warehouse_path)
    own = fix_slice(warehouse, berlin.stream.slice_to_end())
    outcome = LANDERS[engine](berlin.stream.job(warehouse.root, own))
    assert outcome.error
    assert outcome.error.code == "HR406"  # of one refused row in five, after all is landed
    with duckdb.connect() as sql:
        for name in ("readings", "quarantine"):
            sql.register(name, open_table(warehouse.table(name)).to_pyarrow_dataset())
        landed = sql.sql("SELECT signals['v'] FROM readings ORDER BY 1").fetchall()
        refused = sql.sql("SELECT reason, count(*) FROM quarantine GROUP BY 1 ORDER BY 1").fetchall()
    assert [value for (value,) in landed] == ["0", "1", "2", "3"]
    assert refused == [("bad_event_time", 4), ("duplicate", 12)]
    entry = reconcile(berlin.stream.contract, berlin.settings, config, "a run")
    ((rows_of, quarantined),) = [(each.rows, each.quarantined) for each in entry.sources]
    assert (entry.balanced, rows_of, quarantined) == (True, 5, 1)
    (note,) = entry.notes
    assert "15 records more are copies of its rows at other offsets" in note


def test_what_was_published_before_there_were_proofs_reaches_no_further_than_it_did(growing: Growing) -> None:
    growing.write(1)
    growing.publish("first")
    warehouse = growing.stream.warehouse(growing.settings.warehouse_path)
    change_publications(warehouse, lambda rows: [row.model_copy(update={"proven": False}) for row in rows])
    (before,) = read_publications(warehouse)
    write(growing, forged(before.publication))
    fix_slice(warehouse, growing.stream.slice_to_end())
    assert growing.landed()[0].count("9") == len(forged(before.publication))


def test_a_home_that_is_lost_makes_no_stranger_of_anybody(growing: Growing) -> None:
    growing.write(1)
    growing.publish("first")
    growing.settings.home_path.rename(growing.settings.home_path.with_name("lost"))
    assert growing.landed() == (values(1), 0)
    growing.write(1, 2)
    assert growing.publish("second").published == 50  # what the rows before were is lost with the spool
    assert growing.landed() == (values(1, 2), 25)


def test_a_key_that_is_lost_is_named_and_restored_by_the_next_publisher(growing: Growing) -> None:
    growing.write(1)
    growing.publish("first")
    warehouse = growing.stream.warehouse(growing.settings.warehouse_path)
    key_file(warehouse).unlink()
    outcome, _ = growing.outcome({})
    assert outcome.error is not None
    assert "_key: is gone" in outcome.error.message
    growing.write(1, 2)
    growing.publish("second")
    assert growing.landed() == (values(1, 2), 0)
    (growing.settings.home_path / "keys" / growing.stream.contract.stream).unlink()
    key_file(warehouse).unlink()
    growing.write(1, 2, 3)
    with pytest.raises(WarehouseError, match="run with the parameter republish"):
        growing.publish("third")
    assert growing.publish("third", republish=True).published == 75
    assert growing.landed() == (values(1, 2, 3), 50)


def test_a_key_that_is_lost_with_all_tables_is_named_before_anything_is_noted(growing: Growing) -> None:
    growing.write(1)
    growing.publish("first")
    for folder in (growing.settings.home_path, growing.settings.warehouse_path):
        folder.rename(folder.with_name(f"lost {folder.name}"))
    for run in ("second", "third"):
        with pytest.raises(WarehouseError, match=r"_key: is gone.*run with the parameter republish"):
            growing.publish(run)
    assert growing.publish("fourth", republish=True).published == 25
