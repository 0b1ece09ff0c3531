"""`local/run`, with which every verb of the Makefile begins."""

import subprocess
from pathlib import Path

from headrace.settings import PROJECT


def test_without_python_3_11_one_sentence_says_so(tmp_path: Path) -> None:
    for name in ("python3.11", "python3.12", "python3.13", "python3"):
        old = tmp_path / name
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    done = subprocess.run(
        ["/bin/sh", str(PROJECT / "local" / "run")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is needed")
    assert done.stderr.count("\n") == 1
