"""The audit's operator, as far as it goes without a broker."""

from pathlib import Path
from typing import Any, cast

import pytest

from headrace_airflow.operators.audit import AuditOperator
from testbed.parse_cases import contract


def test_a_stream_that_never_landed_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path))
    operator = AuditOperator(task_id="small", contract=tmp_path / "small.yaml")
    operator.run_stage(contract(), {}, cast(Any, {"run_id": "scheduled"}))
    assert "nothing of stream small has been landed yet: nothing to audit" in capsys.readouterr().out
