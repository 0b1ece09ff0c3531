"""The folder of a query by Spark is its own; what killed drivers left is removed later."""

import os
import time
from pathlib import Path

import pytest

from headrace_spark.scratch import LEFT_SECONDS, scratch


def test_two_landings_of_a_stream_share_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    with scratch("mill", "one") as one, scratch("mill", "other") as other:
        both = {one, other}
        assert [each.is_dir() for each in both] == [True, True]
    assert not any(each.exists() for each in both)


def test_what_killed_drivers_left_is_removed_a_day_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    old, young = (tmp_path / "scratch" / "mill" / name for name in ("old", "young"))
    for folder, age in ((old, LEFT_SECONDS + 60), (young, LEFT_SECONDS - 60)):
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age,) * 2)
    with scratch("mill", "mine"):
        assert (old.exists(), young.exists()) == (False, True)
