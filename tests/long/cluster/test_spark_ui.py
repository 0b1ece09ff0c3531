"""Spark's own web UI, where it is switched on: told to the task, on the loopback, without secrets."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from headrace.driver.process_tree import kill_tree
from headrace.driver.protocol import read_news
from headrace.publish.publishing import publish
from headrace.settings import PROJECT, Settings, load_settings
from local.stack.broker import Broker
from local.stack.spark import spark_environment, submit
from testbed.streams import make_stream
from testbed.waiting import awaited

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def address(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The web UI of a driver that has staged a batch and is held there."""
    configuration = Path(spark_environment(load_settings())["SPARK_CONF_DIR"])
    own = tmp_path / "conf"
    own.mkdir()
    for file in configuration.iterdir():
        text = file.read_text("utf-8").replace("spark.ui.enabled=false", "spark.ui.enabled=true")
        (own / file.name).write_text(text, "utf-8")
    definition = yaml.safe_load((PROJECT / "include/streams/wind_turbine.yaml").read_text("utf-8"))
    definition["topic"]["name"] = "watched.wind_turbine"
    stream = make_stream(tmp_path, broker.config, definition)
    publish(stream.contract, Settings(warehouse=tmp_path, home=tmp_path), stream.config, "a run")
    held = {"HEADRACE_STOP_AT": "land.after_staging", "SPARK_CONF_DIR": str(own)}
    process = submit("land.py", stream.job(tmp_path), **held)
    assert process.stdout
    try:
        news = next(filter(None, map(read_news, process.stdout)))
        assert news.spark_ui
        first = psutil.Process(process.pid)
        awaited(lambda: any(each.status() == "stopped" for each in first.children(recursive=True)), 120)
        yield news.spark_ui
    finally:
        kill_tree(psutil.Process(process.pid))
        process.wait()


def test_it_listens_on_the_loopback_and_shows_no_secret(address: str, broker: Broker) -> None:
    assert re.fullmatch(r"http://(127\.0\.0\.1|localhost):\d+", address)
    secrets = [str(value) for name, value in broker.config.items() if "password" in name]
    assert secrets
    with httpx.Client(base_url=address, trust_env=False, follow_redirects=True) as client:
        pages = {path: client.get(path) for path in ("/jobs/", "/environment/", "/SQL/", "/StreamingQuery/")}
        numbers = set(re.findall(r"/SQL/execution/\?id=(\d+)", pages["/SQL/"].text))
        pages |= {each: client.get("/SQL/execution/", params={"id": each}) for each in numbers}
        assert client.post("/jobs/job/kill/?id=0").status_code != 200
    assert all(page.status_code == 200 for page in pages.values())
    assert numbers
    for page in pages.values():
        assert not any(secret in page.text for secret in secrets)
