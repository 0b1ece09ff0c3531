"""What is told of a report that is not there."""

from pathlib import Path

import pytest
from fastapi import HTTPException

from headrace_airflow.ui.pages import report


@pytest.mark.parametrize("dag_id", ["wind_turbine", "nobody_knows_it", "../../etc"])
def test_a_report_that_is_not_there_tells_no_path_and_no_stream(
    dag_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path / "warehouse"))
    with pytest.raises(HTTPException) as refused:
        report(dag_id, "../../passwords")
    assert (refused.value.status_code, refused.value.detail) == (
        404,
        "No such report. A run has one when its task `report` has succeeded.",
    )
