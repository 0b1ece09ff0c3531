"""A pattern that cannot be meant is refused, and the message says which one is."""

import re
import subprocess
import sys

import pytest

from headrace.contract.time_format import time_format
from headrace.contract.time_pattern import translated
from testbed.time_cases import FORMATS

MEANT = {
    "YYYY-MM-DD": "yyyy-MM-dd",
    "YYYY-MM-DD HH:mm:ss": "yyyy-MM-dd HH:mm:ss",
    "YYYY-MM-DD HH24:MI:SS": "yyyy-MM-dd HH:mm:ss",
    "YYYY-DDD": "yyyy-DDD",
    "yyyy-MM-DD": "yyyy-MM-dd",
    "DD/MM/YYYY hh:mm A": "dd/MM/yyyy hh:mm a",
    "%Y-%m-%d": "yyyy-MM-dd",
    "%Y-%m-%d %H:%M:%S": "yyyy-MM-dd HH:mm:ss",
    "%Y-%m-%dT%H:%M:%S.%f%z": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXX",
    "%-d.%-m.%y": "dd.MM.yy",
    "%I:%M %p %d %b %Y": "hh:mm a dd MMM yyyy",
    "iso8601": "iso",
    "ISO 8601": "iso",
    "rfc3339": "iso",
    "epoch_seconds": "epoch_s",
    "epoch_millis": "epoch_ms",
    "Unix ms": "epoch_ms",
    "unixtime_us": "epoch_us",
    "epoch_nanoseconds": "epoch_ns",
    "yyyy-MM-dd hh:mm:ss": "yyyy-MM-dd HH:mm:ss",
    "yyyy-mm-dd": "yyyy-MM-dd",
    "yyyy-mm-dd HH:MM:ss": "yyyy-MM-dd HH:mm:ss",
    "yyyy-mm-dd hh:MM:SS": "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd HH:mm:SS": "yyyy-MM-dd HH:mm:ss",
    "uuuu-MM-dd": "yyyy-MM-dd",
    "yyyy-MM-ddTHH:mm:ssXXX": "yyyy-MM-dd'T'HH:mm:ssXXX",
}
"""Patterns as people write them, with what they mean."""

REFUSED = {
    "epoch": "is epoch_s, epoch_ms, epoch_us or epoch_ns meant?",
    "unix_timestamp": "is epoch_s, epoch_ms, epoch_us or epoch_ns meant?",
    "HH:mm": "it has no year (y)",
    "yyyy-dd": "it has a day (d) and no month (M)",
    "yyyyDDD MM": "D is the day of the year",
    "yyyy a": "a half of the day (a) and no hour",
    "yyyy HH:ss": "it has seconds (s) and no minutes",
    "EEE dd MMM yyyy": "a weekday's name is not read",
    "yyyy G": "eras are not read",
    "yyyy-MM-dd HH:mm z": "VV is a full one, XXX an offset",
    "yyyy O": "VV is a full one, XXX an offset",
    "yyyy n": "the letter n stands for nothing",
    "yyyyy": "y does not stand 5 times in a row",
    "yyyy V": "V does not stand 1 times in a row",
    "yyyy-MM-dd HH:mm:ss.SSSSSSSSSS": "S does not stand 10 times in a row",
    "dMyyyy": "nothing tells where d ends and M begins",
    "d[M]yyyy": "nothing tells where d ends and M begins",
    "yyyy[": "a [ is not closed",
    "yyyy]": "a ] closes nothing",
    "yyyy'": "' stands for nothing here",
    "yyyy{": "{ stands for nothing here",
    "yyyy#": "# stands for nothing here",
    "yyyy%": "% stands for nothing here",
}


@pytest.mark.parametrize("pattern", MEANT)
def test_a_pattern_of_other_letters_is_refused_with_the_one_that_is_meant(pattern: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(pattern))} is no time pattern") as refused:
        translated(pattern)
    assert str(refused.value).endswith(f" is {MEANT[pattern]} meant?")
    time_format(MEANT[pattern])


@pytest.mark.parametrize("pattern", REFUSED)
def test_a_pattern_that_makes_no_time_is_refused_with_the_letter(pattern: str) -> None:
    with pytest.raises(ValueError, match=re.escape(REFUSED[pattern])):
        translated(pattern)


TAKEN = ["yyyy", "yyyy-MM", "y-L-d", "dMMyyyy", "yyyy-MM-dd''HH", "'%Y' yyyy"]


@pytest.mark.parametrize("pattern", [*FORMATS, *TAKEN])
def test_a_pattern_that_makes_a_time_is_taken(pattern: str) -> None:
    translated(pattern)


def test_checking_a_pattern_imports_nothing_heavy() -> None:
    """Contracts are checked where DAG files are parsed."""
    code = "import sys, headrace.contract.time_pattern; print({'polars', 'pyarrow'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
