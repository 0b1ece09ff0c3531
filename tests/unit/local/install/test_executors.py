"""The list of executors' packages is what Headrace's code imports there, no more and no less."""

import json
import subprocess
import sys
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.install.executors import NEEDED

ON_EXECUTORS = """
import json, sys
from importlib.metadata import packages_distributions
import headrace.parse.avro_fields, headrace.parse.parser, headrace.staging.staging
whose = packages_distributions()
tops = {name.partition(".")[0] for name in sys.modules}
print(json.dumps(sorted({each for top in tops for each in whose.get(top, [])})))
"""


def imported() -> set[str]:
    """The distributions that are imported with what an executor unpickles."""
    done = subprocess.run([sys.executable, "-c", ON_EXECUTORS], capture_output=True, text=True, check=True)
    return {str(canonicalize_name(name)) for name in json.loads(done.stdout)} - {"headrace"}


def listed() -> set[str]:
    lines = NEEDED.read_text(encoding="utf-8").splitlines()
    return {str(canonicalize_name(line)) for line in lines if not line.startswith("#")}


def with_what_they_need(names: set[str]) -> set[str]:
    found: set[str] = set()
    while new := names - found:
        found |= new
        needs = [Requirement(need) for name in new for need in requires(name) or ()]
        names = {
            str(canonicalize_name(need.name))
            for need in needs
            if need.marker is None or need.marker.evaluate({"extra": ""})
        }
    return found


def test_nothing_is_imported_that_is_not_packed() -> None:
    assert imported() <= with_what_they_need(listed())


def test_nothing_is_listed_that_is_not_imported() -> None:
    assert listed() <= imported()
