"""What all tests share: settings with a fresh home, and one broker, one JVM and one stack a session."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from headrace.settings import Settings, load_settings
from local.stack.broker import Broker, scratch_broker
from testbed.pipeline import Pipeline, running_pipeline
from testbed.stages import LANDERS, Land

# Airflow reads its home when it is imported, and makes ~/airflow where none is set.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="headrace-tests-airflow-")
# So does matplotlib with its list of fonts.
os.environ["MPLCONFIGDIR"] = str(load_settings().home_path / "cache" / "matplotlib")

IMPATIENT = """\
log.cleaner.backoff.ms=200
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
"""
"""The broker looks for what is to be cleaned or to be aborted every 15 and every 10 seconds else."""

# A busy machine takes longer, and says nothing of what a test is about.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


class SharedFixtures(LoadScopeScheduling):
    """What shares fixtures runs in one process: the tests of a file, and all that need the stack."""

    def _split_scope(self, nodeid: str) -> str:
        return "the stack" if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharedFixtures:
    """Of `make test`'s two processes each takes the next file."""
    # Marks (--dist loadgroup) say it no longer: with pytest 9.2 the suffix of a test's id is lost.
    return SharedFixtures(config, log)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose home and warehouse are this test's own."""
    return Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home")


@pytest.fixture(scope="module", params=sorted(LANDERS))
def land(request: pytest.FixtureRequest) -> Land:
    """Landing by one engine after the other: whatever is asked of the tables, both must have made them so."""
    return LANDERS[request.param]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker with its own data; a test that kills or stops it starts it again."""
    broker = scratch_broker(load_settings().home_path, tmp_path_factory.mktemp("broker"), IMPATIENT)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session", autouse=True)
def _one_jvm() -> Iterator[None]:
    """End the session that a test may have started, see `testbed.stages`."""
    # When Python ends it tells of a closed connection, to a stream that pytest has closed before.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    yield
    pyspark = sys.modules.get("pyspark.sql")
    if pyspark is not None and (session := pyspark.SparkSession.getActiveSession()):
        session.stop()


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The one stack of all tests that need Airflow's own processes, up."""
    with running_pipeline(tmp_path_factory.mktemp("pipeline"), tmp_path_factory.mktemp("sources")) as up:
        yield up


@pytest.fixture(scope="session")
def first_run(pipeline: Pipeline) -> str:
    """A finished run on the fresh stack; its id."""
    run_id = pipeline.start()
    assert pipeline.ended(run_id) == "success", pipeline.states(run_id)
    return run_id
