"""What the scripts of Kafka's own tools add to a line: the broker's address and its log-in."""

import pytest

from local.stack.kafka_tool import completed

OURS = ["--command-config", "/h/client.properties", "--bootstrap-server", "127.0.0.1:19092"]

LINES = {
    "--describe --topic t": [*OURS, "--describe", "--topic", "t"],
    "--list --bootstrap-server localhost:9092": [*OURS[:2], "--list", *OURS[2:]],
    "--list --bootstrap-server=127.0.0.1:19092": [*OURS[:2], "--list", *OURS[2:]],
    "--topic t --producer.config own": [*OURS[2:], "--topic", "t", "--producer.config", "own"],
    "--list --command-config=own": [*OURS[2:], "--list", "--command-config", "own"],
    "--property a=b": [*OURS, "--property", "a=b"],
    "": OURS,
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_gets_address_and_login(line: str) -> None:
    assert completed(line.split(), "127.0.0.1:19092", "/h/client.properties") == LINES[line]


@pytest.mark.parametrize("line", ["--list --bootstrap-server other:9092", "--list --bootstrap-server"])
def test_another_broker_is_never_given_our_login(line: str) -> None:
    assert completed(line.split(), "127.0.0.1:19092", "/h/client.properties") == line.split()
