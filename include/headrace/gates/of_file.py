"""A condition of files, which the file system answers."""

import glob
import time
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from headrace.gates.answers import Answers
from headrace.gates.condition import BaseCondition, Verdict


class FileArrived(BaseCondition):
    """A file is there, and has not changed for `quiet` seconds; of a pattern (`*.csv`), every one that is.

    By the clock of this host against the file's time of change: where a network's disk goes by another clock,
    let `quiet` be more than their difference.
    """

    kind: Literal["file_arrived"] = "file_arrived"
    asks: ClassVar = "disk"
    path: str
    quiet: Annotated[float, Field(ge=0)] = 10

    def __str__(self) -> str:
        return f"{self.path} is there and has not changed for {self.quiet:g} s"

    def check(self, answers: Answers) -> Verdict:
        """Look at size and time of change; nothing is read."""
        files = [Path(each) for each in sorted(glob.glob(self.path))]  # noqa: PTH207  # absolute patterns too
        ages = {each: time.time() - each.stat().st_mtime for each in files if each.is_file()}
        if not ages:
            return Verdict(False, f"there is no file {self.path}")
        newest = min(ages, key=lambda each: ages[each])
        count = f"{len(ages)} files, of which {newest}" if len(ages) > 1 else str(newest)
        text = f"{count} has {newest.stat().st_size:,} bytes and was changed {max(0, ages[newest]):.0f} s ago"
        return Verdict(ages[newest] >= self.quiet, text)
