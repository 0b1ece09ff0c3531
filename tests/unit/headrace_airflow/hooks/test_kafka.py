"""The Kafka connection as Airflow hands it over."""

import asyncio
import json

import pytest
from airflow.sdk._shared.secrets_masker import redact

from headrace.errors import SettingsError
from headrace_airflow.hooks.kafka import KafkaConfigHook


def connect(monkeypatch: pytest.MonkeyPatch, extra: dict[str, object], conn_type: str = "kafka") -> None:
    connection = {"conn_type": conn_type, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps(connection))


def test_the_extra_is_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, {"bootstrap.servers": "127.0.0.1:1", "client.id": "x"})
    assert KafkaConfigHook().config() == {"bootstrap.servers": "127.0.0.1:1", "client.id": "x"}


def test_the_triggerer_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, {"bootstrap.servers": "127.0.0.1:1"})
    assert asyncio.run(KafkaConfigHook().aconfig()) == KafkaConfigHook().config()


def test_an_absent_connection_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_NOT_THERE", raising=False)
    with pytest.raises(SettingsError, match=r"not_there is missing.*AIRFLOW_CONN_NOT_THERE"):
        KafkaConfigHook("not_there").config()


@pytest.mark.parametrize(
    ("extra", "conn_type", "message"),
    [
        ({"bootstrap.servers": "h:1"}, "http", "has type 'http'; it must be kafka"),
        ({"client.id": "x"}, "kafka", "names no bootstrap.servers"),
        ({"bootstrap.servers": "h:1", "oauth_cb": "os.system"}, "kafka", "callback_allowlist"),
    ],
)
def test_a_wrong_connection_is_refused(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, object], conn_type: str, message: str
) -> None:
    connect(monkeypatch, extra, conn_type)
    with pytest.raises(SettingsError, match=message):
        KafkaConfigHook().config()


@pytest.mark.parametrize(
    "name", ["sasl.password", "sasl.jaas.config", "ssl.key.pem", "basic.auth.user.info", "ssl.key.password"]
)
def test_secrets_never_reach_a_log(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    secret = f"hush-{name}-hush"
    connect(monkeypatch, {"bootstrap.servers": "127.0.0.1:1", name: secret})
    KafkaConfigHook().config()
    assert secret not in str(redact(f"a line that holds {secret} by mistake"))
