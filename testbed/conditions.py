"""Conditions of gates for tests: one that is met, one that is not, one that asks the broker."""

OPEN = {"kind": "landed", "stream": "s", "topic_id": "t", "until": {}}
SHUT = {"kind": "landed", "stream": "s", "topic_id": "t", "until": {"0": 5}}
ASKS_BROKER = {"kind": "topic_ready", "topic": "t", "partitions": 1}
