"""The schemas that follow from the rows' models are those that the tables have, written out here by hand."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pydantic import BaseModel

from headrace.publish.publications import Publication
from headrace.reconcile.ledger import Entry
from headrace.tables.arrow_schema import arrow_schema, arrow_table
from headrace.tables.batches import Batch

INSTANT = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())
RANGES = pa.list_(pa.struct([("partition", pa.int32()), ("start", pa.int64()), ("until", pa.int64())]))

BATCHES = pa.schema(
    [
        ("batch", pa.int64()),
        ("kind", pa.string()),
        ("topic_id", pa.string()),
        ("ranges", RANGES),
        ("records", pa.int64()),
        ("landed", pa.int64()),
        ("quarantined", pa.int64()),
        ("run_id", pa.string()),
        ("try_id", pa.string()),
        ("contract_sha256", pa.string()),
        ("started", INSTANT),
        ("finished", INSTANT),
        ("lost", RANGES),
        ("reason", pa.string()),
    ]
)

PUBLICATIONS = pa.schema(
    [
        ("publication", pa.string()),
        ("source", pa.string()),
        ("sha256", pa.string()),
        ("rows", pa.int64()),
        ("topic", pa.string()),
        ("topic_id", pa.string()),
        ("run_id", pa.string()),
        ("state", pa.string()),
        ("started", INSTANT),
        ("finished", INSTANT),
        ("until", pa.map_(pa.int32(), pa.int64())),
        ("encoding", pa.string()),
        ("delimiter", pa.string()),
        ("options", pa.string()),
        ("stamp", pa.string()),
        ("size", pa.int64()),
        ("first", pa.int64()),
        ("continues", pa.string()),
        ("own_sha256", pa.string()),
        ("proven", pa.bool_()),
        ("at_least_once", pa.bool_()),
    ]
)

SLICE = pa.struct(
    [
        ("ranges", RANGES),
        ("visible", pa.int64()),
        ("landed", pa.int64()),
        ("quarantined", pa.int64()),
        ("problems", TEXTS),
    ]
)

SOURCE = pa.struct(
    [
        ("publication", pa.string()),
        ("source", pa.string()),
        ("rows", pa.int64()),
        ("landed", pa.int64()),
        ("quarantined", pa.int64()),
        ("accepted_loss", pa.int64()),
        ("pending", pa.bool_()),
        ("problems", TEXTS),
    ]
)

COUNTED = pa.struct(
    [
        ("new", pa.int64()),
        ("sealed", pa.int64()),
        ("version", pa.int64()),
        ("sources", pa.int64()),
        ("reason", pa.string()),
    ]
)

LEDGER = pa.schema(
    [
        ("run_id", pa.string()),
        ("finished", INSTANT),
        ("topic", pa.string()),
        ("topic_id", pa.string()),
        ("slice", SLICE),
        ("sources", pa.list_(SOURCE)),
        ("batch_problems", TEXTS),
        ("counted", COUNTED),
        ("notes", TEXTS),
        ("balanced", pa.bool_()),
    ]
)


@pytest.mark.parametrize(
    ("model", "schema"),
    [(Batch, BATCHES), (Publication, PUBLICATIONS), (Entry, LEDGER)],
    ids=["batches", "publications", "ledger"],
)
def test_the_schema_is_that_of_the_table(model: type[BaseModel], schema: pa.Schema) -> None:
    assert arrow_schema(model).equals(schema, check_metadata=True)


def test_a_position_is_a_map_and_an_empty_one_an_empty_map() -> None:
    row = Publication(
        publication="p",
        source="s.csv",
        sha256="0" * 64,
        rows=1,
        topic="t",
        topic_id="id",
        run_id="run",
        state="publishing",
        started=datetime(2018, 1, 1, tzinfo=UTC),
    )
    table = arrow_table(Publication, [row, row.model_copy(update={"until": {0: 5, 11: 2**40}})])
    assert table.schema.equals(PUBLICATIONS)
    assert table["until"].to_pylist() == [[], [(0, 5), (11, 2**40)]]
