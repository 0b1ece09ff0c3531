"""What Airflow lists under Admin > Providers, found by the entry point `apache_airflow_provider`."""

from importlib.metadata import version
from typing import Any

NAME = "headrace"


def get_provider_info() -> dict[str, Any]:
    """The parts of Headrace, by Airflow's schema of a provider's information.

    It brings no connection type of its own: `kafka` and `spark` are those of Airflow's own providers.
    """
    package = "headrace_airflow"
    return {
        "package-name": NAME,
        "name": "Headrace",
        "description": "Kafka to Delta in gated micro-batches, every record accounted for.",
        "versions": [version(NAME)],
        "integrations": [
            {"integration-name": "Headrace", "external-doc-url": "", "tags": ["apache"]},
        ],
        "operators": [
            {
                "integration-name": "Headrace",
                "python-modules": [
                    f"{package}.operators.{name}"
                    for name in (
                        "analyse",
                        "audit",
                        "land",
                        "maintain",
                        "provision_topics",
                        "publish",
                        "reconcile",
                        "report",
                    )
                ],
            }
        ],
        "sensors": [{"integration-name": "Headrace", "python-modules": [f"{package}.sensors.gate"]}],
        "triggers": [{"integration-name": "Headrace", "python-modules": [f"{package}.triggers.gate"]}],
        "hooks": [
            {
                "integration-name": "Headrace",
                "python-modules": [
                    f"{package}.hooks.kafka",
                    f"{package}.hooks.schema_registry",
                    f"{package}.hooks.spark",
                ],
            }
        ],
        "extra-links": [f"{package}.ui.links.ReportLink", f"{package}.ui.links.SparkWebUI"],
        "executors": [f"{package}.executor.PreloadingExecutor"],
    }
