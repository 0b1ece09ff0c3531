"""Spark as the publisher, by the real scheduler: killed, it loses nothing and lands nothing twice."""

import os
import signal

import pytest

from headrace.kafka.topics import log_end
from headrace.reconcile.ledger import read_ledger
from headrace.tables.queries import counts
from testbed.dag_stream import LINES, DagStream
from testbed.pipeline import Pipeline

pytestmark = pytest.mark.timeout(900)

ROWS = len(LINES) - 1


def test_a_killed_driver_costs_duplicates_and_no_reading(pipeline: Pipeline) -> None:
    stream = DagStream(pipeline.of("spark_publishes"))
    stream.contract["publish"] = {"engine": "spark"}
    stream.write(*LINES)
    stream.write_contract()
    stream.start()
    publishes = pipeline.awaited(lambda: pipeline.of(stream.name).drivers("publish"), seconds=240)
    pipeline.awaited(lambda: log_end(stream.broker, stream.topic)[0] > 0, seconds=120)
    os.kill(next(each.pid for each in publishes if each.name() == "java"), signal.SIGKILL)
    assert stream.ended() == "success"
    assert pipeline.of(stream.name).task(stream.runs[0], "publish")["try_number"] == 2
    found = counts(stream.pipeline.warehouse)
    assert found.readings == ROWS
    assert set(found.quarantine) <= {"duplicate"}
    assert log_end(stream.broker, stream.topic)[0] >= ROWS + found.quarantine.get("duplicate", 0)
    assert read_ledger(stream.pipeline.warehouse)[-1].balanced
