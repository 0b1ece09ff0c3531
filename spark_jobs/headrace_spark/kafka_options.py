"""The same Kafka connection for Java's client: a librdkafka configuration as `kafka.*` options of Spark."""

import json
from collections.abc import Mapping
from typing import Any

from headrace.errors import SettingsError

SAME = ("bootstrap.servers", "security.protocol", "client.id", "ssl.endpoint.identification.algorithm")
PEM_FILES = {"ssl.ca.location": "ssl.truststore", "ssl.keystore.location": "ssl.keystore"}
LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


def spark_options(config: Mapping[str, Any]) -> dict[str, str]:
    """Options for Spark's Kafka source; what only librdkafka knows is left out.

    Raises:
        SettingsError: a SASL mechanism that is not translated.
    """
    options = {name: str(config[name]) for name in SAME if name in config}
    options.update(_login(config))
    for name, store in PEM_FILES.items():
        if name in config:
            options |= {f"{store}.type": "PEM", f"{store}.location": str(config[name])}
    return {f"kafka.{name}": value for name, value in options.items()}


def _login(config: Mapping[str, Any]) -> dict[str, str]:
    mechanism = config.get("sasl.mechanism") or config.get("sasl.mechanisms")
    if mechanism is None:
        return {}
    if mechanism not in LOGIN_MODULES:
        raise SettingsError(
            f"the Kafka connection's sasl.mechanism {mechanism!r} is not one that Spark's part knows: "
            f"{', '.join(LOGIN_MODULES)}"
        )
    # A JSON string is a valid quoted string of a JAAS line.
    user, password = (json.dumps(str(config.get(f"sasl.{name}", ""))) for name in ("username", "password"))
    module = f"{LOGIN_MODULES[mechanism]} required username={user} password={password};"
    return {"sasl.mechanism": str(mechanism), "sasl.jaas.config": module}
