"""The DAGs that the how-tos show are read by Airflow as they stand there."""

import re
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from headrace.settings import PROJECT

HOW_TO = PROJECT / "docs" / "how-to"
DAGS = [
    pytest.param(block, id=f"{file.stem}-{number}")
    for file in sorted(HOW_TO.glob("*.md"))
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", file.read_text("utf-8"), re.S | re.M))
    if "DAG(" in block
]


@pytest.mark.parametrize("block", DAGS)
def test_a_dag_of_the_how_tos_is_read(block: str, tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(block, "utf-8")
    bag = DagBag(tmp_path, bundle_path=tmp_path, bundle_name="shown")
    assert bag.import_errors == {}
    assert len(bag.dags) == 1
