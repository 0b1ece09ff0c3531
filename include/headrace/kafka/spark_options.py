"""A librdkafka configuration in the words of Java's client, which Spark and Kafka's own tools use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.errors import SettingsError

SAME = {
    "bootstrap.servers": "bootstrap.servers",
    "metadata.broker.list": "bootstrap.servers",
    "client.id": "client.id",
    "client.rack": "client.rack",
    "client.dns.lookup": "client.dns.lookup",
    "sasl.kerberos.service.name": "sasl.kerberos.service.name",
    "ssl.key.password": "ssl.key.password",
    "reconnect.backoff.ms": "reconnect.backoff.ms",
    "reconnect.backoff.max.ms": "reconnect.backoff.max.ms",
    "retry.backoff.ms": "retry.backoff.ms",
    "request.timeout.ms": "request.timeout.ms",
    "socket.timeout.ms": "request.timeout.ms",
    "connections.max.idle.ms": "connections.max.idle.ms",
    "metadata.max.age.ms": "metadata.max.age.ms",
    "fetch.min.bytes": "fetch.min.bytes",
    "fetch.max.bytes": "fetch.max.bytes",
    "max.partition.fetch.bytes": "max.partition.fetch.bytes",
    "fetch.message.max.bytes": "max.partition.fetch.bytes",
}
"""librdkafka's name -> Java's, where the value is the same."""

OTHERS = frozenset(
    # Spark assigns partitions and commits by itself; a producer's keys and librdkafka's log are not for it
    {"group.id", "group.instance.id", "auto.offset.reset", "enable.auto.commit", "auto.commit.interval.ms"}
    | {"enable.auto.offset.store", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms"}
    | {"isolation.level", "partition.assignment.strategy", "enable.partition.eof", "check.crcs"}
    | {"statistics.interval.ms", "log_level", "log.connection.close", "debug", "socket.keepalive.enable"}
    | {"acks", "request.required.acks", "enable.idempotence", "linger.ms", "batch.size", "batch.num.messages"}
    | {"compression.type", "compression.codec", "message.max.bytes", "message.timeout.ms"}
    | {"delivery.timeout.ms", "transaction.timeout.ms", "queue.buffering.max.messages", "partitioner"}
    # Java's client takes an answer of any size, as long as it has memory for it
    | {"receive.message.max.bytes", "message.copy.max.bytes"}
    | {"queue.buffering.max.kbytes", "api.version.request", "broker.address.family"}
)
"""Keys that mean nothing to Spark's reading."""

LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
SASL = {"sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password"}
TRUST = {"ssl.ca.location", "ssl.ca.pem"}
CERTIFICATE = {"ssl.certificate.location", "ssl.certificate.pem"}
KEY = {"ssl.key.location", "ssl.key.pem"}
CHECKS = {"security.protocol", "enable.ssl.certificate.verification", "ssl.endpoint.identification.algorithm"}
KNOWN = SAME.keys() | OTHERS | SASL | TRUST | CERTIFICATE | KEY | CHECKS


def spark_options(config: Mapping[str, Any]) -> dict[str, str]:
    """The options `kafka.*` that make Spark's source log in as librdkafka does; raises as `java_config`."""
    return {f"kafka.{key}": value for key, value in java_config(config).items()}


def java_config(config: Mapping[str, Any]) -> dict[str, str]:
    """The configuration that makes a consumer of Java's client log in as librdkafka does; it holds secrets.

    Raises:
        SettingsError: a key has no counterpart, a certificate cannot be read, or no brokers are named.
    """
    unknown = sorted(key for key in config if key not in KNOWN)
    if unknown:
        raise SettingsError(
            f"the Kafka connection holds {', '.join(unknown)}, which Headrace cannot translate for Spark's "
            "Kafka client; remove it from the connection's extra or use a mechanism that both clients know"
        )
    options = {SAME[key]: _text(value) for key, value in config.items() if key in SAME}
    if not options.get("bootstrap.servers"):
        raise SettingsError("the Kafka connection names no bootstrap.servers; add them to its extra")
    if "security.protocol" in config:
        options["security.protocol"] = _text(config["security.protocol"]).upper()
    return options | _login(config) | _trust(config) | _client_certificate(config)


def _login(config: Mapping[str, Any]) -> dict[str, str]:
    if not SASL.intersection(config):
        return {}
    mechanism = _text(config.get("sasl.mechanism") or config.get("sasl.mechanisms") or "").upper()
    if mechanism not in LOGIN_MODULES:
        raise SettingsError(
            f"the Kafka connection has sasl.mechanism {mechanism!r}; for Spark it is one of "
            f"{', '.join(LOGIN_MODULES)}"
        )
    missing = [key for key in ("sasl.username", "sasl.password") if not config.get(key)]
    if missing:
        raise SettingsError(f"the Kafka connection has sasl.mechanism {mechanism}, no {missing[0]}; add it")
    user, password = (_quoted(_text(config[key])) for key in ("sasl.username", "sasl.password"))
    jaas = f"{LOGIN_MODULES[mechanism]} required username={user} password={password};"
    return {"sasl.mechanism": mechanism, "sasl.jaas.config": jaas}


def _trust(config: Mapping[str, Any]) -> dict[str, str]:
    if _text(config.get("enable.ssl.certificate.verification", True)).lower() != "true":
        raise SettingsError(
            "the Kafka connection sets enable.ssl.certificate.verification: false, which Java cannot "
            "do; give the broker's authority in ssl.ca.location instead"
        )
    options = {}
    if "ssl.endpoint.identification.algorithm" in config:
        named = _text(config["ssl.endpoint.identification.algorithm"])
        options["ssl.endpoint.identification.algorithm"] = "" if named == "none" else named
    authority = _pem(config, "ssl.ca")
    if authority:
        options |= {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": authority}
    return options


def _client_certificate(config: Mapping[str, Any]) -> dict[str, str]:
    certificate, key = _pem(config, "ssl.certificate"), _pem(config, "ssl.key")
    if not certificate and not key:
        return {}
    if not (certificate and key):
        raise SettingsError("the Kafka connection has one of ssl.certificate and ssl.key; give both or none")
    if "BEGIN PRIVATE KEY" not in key and "BEGIN ENCRYPTED PRIVATE KEY" not in key:
        raise SettingsError(
            "ssl.key of the Kafka connection is no PKCS#8 key, which Java's client needs; convert it: "
            "openssl pkcs8 -topk8 -in old.key -out new.key"
        )
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.certificate.chain": certificate,
        "ssl.keystore.key": key,
    }


def _pem(config: Mapping[str, Any], name: str) -> str:
    """The text of a certificate or key, given itself (`.pem`) or as a file (`.location`)."""
    if config.get(f"{name}.pem"):
        return _text(config[f"{name}.pem"])
    file = config.get(f"{name}.location")
    if not file:
        return ""
    try:
        return Path(_text(file)).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as failed:
        raise SettingsError(
            f"{name}.location of the Kafka connection, {file}: is no PEM file that can be read: {failed}"
        ) from failed


def _quoted(value: str) -> str:
    """A value in JAAS' own syntax: a quote in a password must not end it."""
    if any(character in value for character in "\r\n\0"):
        raise SettingsError("sasl.username or sasl.password of the Kafka connection holds a line break")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
