"""When a broker counts as dead; tests/integration/local/test_broker.py shows how it comes back."""

from pathlib import Path

from local.stack.rejoin import died


def test_a_new_folder_and_a_good_end_are_no_death(tmp_path: Path) -> None:
    assert not died(tmp_path)
    metadata = tmp_path / "data" / "__cluster_metadata-0"
    metadata.mkdir(parents=True)
    assert died(tmp_path)
    (tmp_path / "data" / ".kafka_cleanshutdown").touch()
    assert not died(tmp_path)
