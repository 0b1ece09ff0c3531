"""The dashboard shows what is measured, under the names by which it arrives, and nothing else."""

import json
import re

import yaml

from headrace.settings import PROJECT
from headrace_airflow.metrics import MEASURES

GRAFANA = PROJECT / "docs" / "grafana"


def test_the_dashboard_shows_every_measure() -> None:
    (mapping,) = yaml.safe_load((GRAFANA / "statsd-mapping.yaml").read_text("utf-8"))["mappings"]
    arrives = set()
    for name in MEASURES:
        match = re.fullmatch(mapping["match"], f"airflow.headrace.wind_turbine.{name}")
        assert match is not None
        assert mapping["labels"] == {"stream": "$1"}
        assert match[1] == "wind_turbine"
        # The exporter puts an underscore for what Prometheus does not take in a name.
        arrives.add(mapping["name"].replace("$2", match[2]).replace(".", "_"))
    dashboard = json.loads((GRAFANA / "headrace.json").read_text("utf-8"))
    shown = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"headrace_\w+", target["expr"])
    }
    assert shown == arrives


def test_the_how_to_names_every_measure() -> None:
    page = (PROJECT / "docs" / "how-to" / "watch-with-grafana.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z.]+)` \|", page, re.M)) == set(MEASURES)
