"""A librdkafka configuration says to Spark's client what it says to librdkafka, or is refused."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import SettingsError
from headrace.kafka.spark_options import spark_options

SERVERS = {"bootstrap.servers": "127.0.0.1:9092"}


def test_a_plain_connection() -> None:
    options = spark_options({**SERVERS, "group.id": "g", "socket.timeout.ms": 5000, "acks": "all"})
    assert options == {"kafka.bootstrap.servers": "127.0.0.1:9092", "kafka.request.timeout.ms": "5000"}


@given(user=st.text("aZ0\"\\;=' ü", min_size=1), password=st.text("aZ0\"\\;=' ü", min_size=1))
def test_a_log_in_is_quoted(user: str, password: str) -> None:
    options = spark_options(
        {
            **SERVERS,
            "security.protocol": "sasl_ssl",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": password,
        }
    )
    assert options["kafka.security.protocol"] == "SASL_SSL"
    assert options["kafka.sasl.mechanism"] == "SCRAM-SHA-512"
    quoted = r'"((?:[^"\\]|\\.)*)"'
    found = re.fullmatch(
        rf"org\.\S+\.ScramLoginModule required username={quoted} password={quoted};",
        options["kafka.sasl.jaas.config"],
    )
    assert found
    assert [re.sub(r"\\(.)", r"\1", text) for text in found.groups()] == [user, password]


def test_certificates_go_as_pem(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    options = spark_options(
        {
            **SERVERS,
            "ssl.ca.location": str(tmp_path / "ca.pem"),
            "ssl.certificate.pem": "certificate",
            "ssl.key.pem": "-----BEGIN PRIVATE KEY-----",
            "ssl.key.password": "secret",
            "ssl.endpoint.identification.algorithm": "none",
        }
    )
    assert options == {
        "kafka.bootstrap.servers": "127.0.0.1:9092",
        "kafka.ssl.key.password": "secret",
        "kafka.ssl.truststore.type": "PEM",
        "kafka.ssl.truststore.certificates": "-----BEGIN CERTIFICATE-----",
        "kafka.ssl.keystore.type": "PEM",
        "kafka.ssl.keystore.certificate.chain": "certificate",
        "kafka.ssl.keystore.key": "-----BEGIN PRIVATE KEY-----",
        "kafka.ssl.endpoint.identification.algorithm": "",
    }


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no brokers": ({"bootstrap.servers": ""}, "names no bootstrap.servers"),
    "unknown keys": ({"sasl.oauthbearer.config": "x", "plugin": 1}, "holds plugin, sasl.oauthbearer.config"),
    "unknown mechanism": ({"sasl.mechanism": "GSSAPI"}, "'GSSAPI'; for Spark it is one of PLAIN"),
    "no password": ({"sasl.mechanism": "PLAIN", "sasl.username": "u"}, "no sasl.password; add it"),
    "line break": (
        {"sasl.mechanism": "PLAIN", "sasl.username": "u\nv", "sasl.password": "p"},
        "holds a line break",
    ),
    "no checks": ({"enable.ssl.certificate.verification": False}, "ssl.ca.location instead"),
    "no file": ({"ssl.ca.location": "/nowhere/ca.pem"}, "/nowhere/ca.pem: is no PEM file"),
    "half a pair": ({"ssl.certificate.pem": "c"}, "give both or none"),
    "old key": (
        {"ssl.certificate.pem": "c", "ssl.key.pem": "-----BEGIN RSA PRIVATE KEY-----"},
        "openssl pkcs8 -topk8",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_said_is_refused(name: str) -> None:
    config, message = FAULTS[name]
    with pytest.raises(SettingsError, match=re.escape(message)) as error:
        spark_options({**SERVERS, **config})
    assert "PRIVATE KEY" not in str(error.value)
