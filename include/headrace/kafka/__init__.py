"""Kafka: topics and their offsets, clients and what their errors mean, records and their headers."""
