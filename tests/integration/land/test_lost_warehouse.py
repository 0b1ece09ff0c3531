"""A warehouse that is lost: the topic has what its tables held, and the next run lands it again."""

import shutil
from pathlib import Path

from headrace.publish.publishing import publish
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.queries import scan
from headrace.tables.slices import fix_slice
from local.stack.broker import Broker
from testbed.stages import run_in_worker, succeeded
from testbed.streams import make_stream

ROWS = 5


def test_a_lost_warehouse_is_landed_again_from_the_topic(broker: Broker, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("time,power\n" + "".join(f"2018-01-01 00:0{row},{row}\n" for row in range(ROWS)))
    definition = {
        "stream": "rebuilt",
        "source": {"kind": "csv", "path": str(file)},
        "topic": {"name": "rebuilt", "partitions": 2},
        "record": {
            "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm"},
            "signals": [{"name": "power", "fields": ["power"]}],
        },
    }
    stream = make_stream(tmp_path, broker.config, definition)
    settings = Settings(home=tmp_path / "home", warehouse=tmp_path / "warehouse", source_roots=str(tmp_path))
    warehouse = stream.warehouse(settings.warehouse_path)
    for published in (ROWS, 0):
        assert publish(stream.contract, settings, stream.config, "a run").published == published
        run_slice = fix_slice(warehouse, stream.slice_to_end())
        succeeded(run_in_worker(stream.job(settings.warehouse_path, run_slice)))
        assert scan(warehouse, "readings").collect().height == ROWS
        entry = reconcile(stream.contract, settings, stream.config, "a run")
        assert (entry.slice.visible, entry.slice.landed) == (ROWS, ROWS)
        shutil.rmtree(warehouse.folder)
