"""What each parameter of a run does, by the operators themselves against a real broker."""

from collections import Counter
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from headrace.publish.publications import read_publications
from headrace.reconcile.ledger import read_ledger
from headrace.tables.batches import read_batches
from headrace.tables.queries import scan
from headrace_airflow.operators.land import LandOperator
from headrace_airflow.operators.provision_topics import ProvisionTopicsOperator
from headrace_airflow.operators.report import ReportOperator
from tests.integration.headrace_airflow.conftest import T1, Runs


def test_another_source_path_is_a_publication_of_its_own_and_all_balances(runs: Runs, tmp_path: Path) -> None:
    other = tmp_path / "sources" / "other.csv"
    other.write_bytes(T1[0] + b"".join(T1[11:26]))
    runs.run("own")
    runs.run("other", source_path=str(other))
    runs.run("own again")
    published = {
        Path(each.source).name: (each.rows, each.state) for each in read_publications(runs.warehouse)
    }
    assert published == {"own.csv": (10, "published"), "other.csv": (15, "published")}
    times = scan(runs.warehouse, "readings").select("signal_ts").collect()["signal_ts"]
    assert (len(times), times.n_unique()) == (25, 25)
    account = {Path(each.source).name: each.landed for each in read_ledger(runs.warehouse)[-1].sources}
    assert account == {"own.csv": 10, "other.csv": 15}


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("/etc/passwd", r"^\[HR201\] /etc/passwd: leads to .* HEADRACE_SOURCE_ROOTS"),
        ("sources", r"folder or a pattern; a run's own source is one file"),
    ],
)
def test_a_source_path_that_may_not_be_read_is_refused_by_the_first_task(
    runs: Runs, tmp_path: Path, path: str, refused: str
) -> None:
    with pytest.raises(AirflowFailException, match=refused):
        runs.stage(ProvisionTopicsOperator, "a run", source_path=str(tmp_path / path))


def test_a_source_path_that_is_not_there_is_waited_for(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(AirflowException, match=r"^\[HR202\] .*nowhere.csv: no such file") as failed:
        runs.stage(ProvisionTopicsOperator, "a run", source_path=str(tmp_path / "sources" / "nowhere.csv"))
    assert not isinstance(failed.value, AirflowFailException)


def test_records_per_batch_bounds_the_batches_of_that_run_alone(runs: Runs, tmp_path: Path) -> None:
    runs.run("small", records_per_batch=4)
    small = [row.records for row in read_batches(runs.warehouse)]
    assert max(small) <= 4
    assert sum(small) == 10
    runs.run("large", republish=True)
    large = [row.records for row in read_batches(runs.warehouse) if row.run_id == "large"]
    assert large == [10]


def test_until_ends_a_slice_and_the_next_run_lands_the_rest(external: Runs) -> None:
    external.run("short", until="0:3, 1:2")
    assert external.landed() == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}
    external.run("one partition", until="0:4 1:2")
    with pytest.raises(AirflowFailException, match=r"before the run's parameter until \(0:1 1:2\) is landed"):
        external.stage(LandOperator, "back", until="0:1 1:2")
    external.run("the rest")
    assert Counter(partition for partition, _ in external.landed()) == {0: 5, 1: 5}
    assert read_ledger(external.warehouse)[-1].balanced


def test_until_a_time_lands_what_kafka_has_stamped_before(external: Runs) -> None:
    external.run("by time", until="2026-01-01T01:00:00+00:00")  # rows 0 to 5 of the ten, every ten minutes
    assert external.landed() == {(row % 2, row // 2) for row in range(6)}
    external.run("the rest", until="2030-01-01T00:00Z")
    assert len(external.landed()) == 10


def test_from_begins_an_external_stream_and_names_what_lies_before(external: Runs) -> None:
    conf = {"from": "2026-01-01T00:30+00:00", "until": "0:4 1:4"}
    external.run("first", **conf)
    assert external.ranges() == [
        ("gap", {0: (0, 2), 1: (0, 1)}),  # rows 0, 2; 1
        ("batch", {0: (2, 4), 1: (1, 4)}),
    ]
    assert read_batches(external.warehouse)[0].reason == "before the run's parameter from"
    external.run("first", **conf)  # cleared
    assert len(external.ranges()) == 2
    with pytest.raises(AirflowFailException, match="where the first landing of a topic begins, and this one"):
        external.stage(ProvisionTopicsOperator, "second", **{"from": "0:5"})
    external.run("the rest")
    assert external.landed() == {(row % 2, row // 2) for row in range(3, 10)}


def test_a_partition_that_the_topic_lacks_is_named(external: Runs) -> None:
    with pytest.raises(AirflowFailException, match=r"has no partition 7: its partitions are 0, 1\."):
        external.stage(LandOperator, "a run", until="7:1")


def test_a_run_without_report_leaves_the_newest_one(runs: Runs) -> None:
    runs.run("silent", skip_report=True)
    with pytest.raises(AirflowSkipException, match="skip_report"):
        runs.stage(ReportOperator, "silent", skip_report=True)
    assert not runs.warehouse.reports.exists()
