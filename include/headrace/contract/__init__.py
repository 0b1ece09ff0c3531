"""Contracts: what a user writes for a stream, read from YAML and checked."""
