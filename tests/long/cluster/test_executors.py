"""Landing on a real standalone cluster whose worker has no checkout and a Python without packages."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from headrace.errors import SetupFailed
from headrace.publish.publishing import publish
from headrace.settings import PROJECT, Settings, load_settings
from headrace.tables.queries import counts
from local.install import executors
from local.stack.broker import Broker
from testbed.stages import run_as_process
from testbed.standalone_cluster import StandaloneCluster
from testbed.streams import Stream, make_stream

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneCluster]:
    cluster = StandaloneCluster(tmp_path_factory.mktemp("cluster"), load_settings().home_path)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def archive() -> Path:
    return executors.make_executors(load_settings().home_path)


@pytest.fixture(scope="module")
def stream(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """The wind turbine, published."""
    definition = yaml.safe_load((PROJECT / "include/streams/wind_turbine.yaml").read_text(encoding="utf-8"))
    definition["topic"]["name"] = "cluster.wind_turbine"
    stream = make_stream(tmp_path_factory.mktemp("streams"), broker.config, definition)
    root = tmp_path_factory.mktemp("published")
    publish(stream.contract, Settings(warehouse=root, home=root), stream.config, "a run")
    return stream


def lands_every_row(stream: Stream, root: Path, configuration: dict[str, str]) -> None:
    outcome = run_as_process("land.py", stream.job(root), **configuration)
    assert outcome.code == 0, outcome.output
    found = counts(stream.warehouse(root))
    assert (found.readings, found.quarantine) == (50_530, {})


def test_executors_with_the_archive_land_every_row(
    cluster: StandaloneCluster, archive: Path, stream: Stream, tmp_path: Path
) -> None:
    handed_over = {"spark.archives": f"{archive}#packages", "spark.executorEnv.PYTHONPATH": "./packages"}
    lands_every_row(stream, tmp_path, cluster.configuration("archive", handed_over))
    assert cluster.applications() == ["land:wind_turbine"]
    assert len(list(cluster.folder.glob("work/*/*/packages/headrace"))) == 1


def test_executors_land_every_row_by_packages_that_were_unpacked_on_the_worker(
    cluster: StandaloneCluster, archive: Path, stream: Stream, tmp_path: Path
) -> None:
    packages = cluster.folder / "packages"
    packages.mkdir()
    subprocess.run(["tar", "-xzf", archive, "-C", packages], check=True)
    unpacked = cluster.configuration("unpacked", {"spark.executorEnv.PYTHONPATH": str(packages)})
    lands_every_row(stream, tmp_path, unpacked)


LACKING = {
    "packages": ({}, "ModuleNotFoundError: No module named 'pyarrow'"),
    "python": ({"spark.pyspark.python": "/nowhere/python"}, 'Cannot run program "/nowhere/python"'),
}


@pytest.mark.parametrize("what", LACKING)
def test_executors_that_lack_something_end_the_task_with_what_it_is_and_where_to_read(
    cluster: StandaloneCluster, stream: Stream, tmp_path: Path, what: str
) -> None:
    properties, said = LACKING[what]
    outcome = run_as_process("land.py", stream.job(tmp_path), **cluster.configuration(what, properties))
    assert outcome.error is not None, outcome.output
    assert (outcome.error.code, outcome.terminal) == ("HR101", True)
    assert said in outcome.error.message
    assert "docs/how-to/real-kafka-and-spark.md" in outcome.error.message


def test_a_package_with_another_hash_than_the_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, needed = tmp_path / "requirements.txt", tmp_path / "executors.txt"
    text = executors.LOCK.read_text(encoding="utf-8")
    lock.write_text(re.sub(r"sha256:.{6}", "sha256:000000", text), encoding="utf-8")
    needed.write_text("filelock\n", encoding="utf-8")
    monkeypatch.setattr(executors, "LOCK", lock)
    monkeypatch.setattr(executors, "NEEDED", needed)
    with pytest.raises(SetupFailed, match="Hash mismatch for `filelock"):
        executors._install(load_settings().home_path / "uv/bin/uv", tmp_path / "packages")
