"""Spark's configuration file bears whatever a path holds."""

import re

from hypothesis import given
from hypothesis import strategies as st

from local.stack.spark import properties_file


def unescaped(text: str) -> dict[str, str]:
    """What Java reads from a properties file that needs no more than unicode escapes."""
    lines = (line.split("=", 1) for line in text.splitlines())
    return {name: re.sub(r"(?:\\u[0-9a-f]{4})+", lambda m: _utf16(m[0]), value) for name, value in lines}


def _utf16(escapes: str) -> str:
    return b"".join(bytes.fromhex(unit) for unit in escapes.split("\\u")[1:]).decode("utf-16-be")


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_properties_survive_whatever_a_path_holds(value: str) -> None:
    assert unescaped(properties_file({"key": f"/{value}"})) == {"key": f"/{value}"}
