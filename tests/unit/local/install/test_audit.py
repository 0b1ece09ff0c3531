"""What is asked about jars, and that silence is never taken for soundness."""

import json
import zipfile
from pathlib import Path

import httpx
import pytest

from headrace.errors import SetupFailed
from local.install.audit import audited_jars, coordinates, holes

SOUND, HOLED = "org.example:sound:1.0", "org.example:holed:2.0"


def listing(request: httpx.Request) -> httpx.Response:
    """A list as OSV answers: for each question an object, with `vulns` where there are any."""
    asked = [query["package"]["purl"] for query in json.loads(request.content)["queries"]]
    known = {"pkg:maven/org.example/holed@2.0": {"vulns": [{"id": "GHSA-1", "modified": "2026-01-01"}]}}
    return httpx.Response(200, json={"results": [known.get(each, {}) for each in asked]})


def test_holes_are_named_by_jar() -> None:
    assert holes([SOUND, HOLED], httpx.Client(transport=httpx.MockTransport(listing))) == {HOLED: ["GHSA-1"]}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(200, text="<html>log in first</html>"),
        httpx.Response(200, json={"code": 3}),
        httpx.Response(200, json={"results": [{}]}),  # one answer for two questions
    ],
)
def test_a_list_that_does_not_answer_for_every_jar_is_an_error(answer: httpx.Response) -> None:
    with pytest.raises(SetupFailed, match="The jars were not audited"):
        holes([SOUND, HOLED], httpx.Client(transport=httpx.MockTransport(lambda _: answer)))


def test_a_jar_says_what_is_packed_into_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shaded.jar", "w") as jar:
        for name in ("outer", "inner"):
            text = f"#made\nversion=1.0\ngroupId=org.example\nartifactId={name}\n"
            jar.writestr(f"META-INF/maven/org.example/{name}/pom.properties", text)
        jar.writestr("META-INF/maven/org.example/odd/pom.properties", "version=1.0")
    assert coordinates(tmp_path / "shaded.jar") == {"org.example:outer:1.0", "org.example:inner:1.0"}


def test_sparks_own_jars_are_among_them() -> None:
    jars = audited_jars()
    assert "org.apache.kafka:kafka-clients:4.3.1" in jars
    assert any(jar.startswith("com.fasterxml.jackson.core:jackson-databind:") for jar in jars)
    assert len(jars) > 300
