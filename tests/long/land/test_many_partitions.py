"""A topic of a thousand partitions on a real broker: published, landed in two runs and accounted for."""

from itertools import islice
from pathlib import Path

import duckdb
import pytest
import yaml

from headrace.kafka.topics import log_end
from headrace.publish.publishing import publish
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import PROJECT, Settings
from headrace.tables.batches import landed_position
from headrace.tables.slices import fix_slice
from local.stack.broker import Broker
from testbed.answers import ANSWERS, register
from testbed.published import T1
from testbed.stages import Land, succeeded
from testbed.streams import make_stream

PARTITIONS = 1_000
READING = "signal_ts, cast(signals as map(varchar, varchar)) as signals"

pytestmark = pytest.mark.timeout(600)


def test_a_topic_of_a_thousand_partitions_is_landed_whole(broker: Broker, land: Land, tmp_path: Path) -> None:
    source = tmp_path / "T1.csv"
    definition = yaml.safe_load((PROJECT / "include/streams/wind_turbine.yaml").read_text("utf-8"))
    definition |= {"stream": "many", "topic": {"name": "many", "partitions": PARTITIONS}}
    definition["source"]["path"] = str(source)
    stream = make_stream(tmp_path, broker.config, definition)
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=str(tmp_path))
    warehouse, reached = stream.warehouse(settings.warehouse_path), dict[int, int]()
    for rows in (5_000, 8_000):
        with T1.open("rb") as whole:
            source.write_bytes(b"".join(islice(whole, rows + 1)))
        publish(stream.contract, settings, stream.config, "a run")
        own = stream.slice_to_end(reached).model_copy(update={"run_id": f"{rows} rows"})
        fix_slice(warehouse, own)
        succeeded(land(stream.job(settings.warehouse_path, own)))
        entry = reconcile(stream.contract, settings, stream.config, own.run_id)
        assert (entry.balanced, sum(each.landed for each in entry.sources)) == (True, rows)
        reached = landed_position(warehouse, stream.topic_id)
        assert reached == log_end(stream.config, stream.contract.topic.name)
    assert len([end for end in reached.values() if end]) > PARTITIONS * 0.95  # 8,000 keys, by their hash
    with duckdb.connect() as sql:
        sql.execute("set variable file = ?", [str(source)])
        sql.execute(ANSWERS)
        register(sql, warehouse, "readings")
        for these, those in (("readings", "expected_readings"), ("expected_readings", "readings")):
            beyond = f"select {READING} from {these} except all select {READING} from {those}"
            assert sql.sql(f"select count(*) from ({beyond})").fetchall() == [(0,)]
