"""Spark's part of Headrace: from Kafka to `readings` and `quarantine`, and from there to the gold tables."""
