"""Publish: a source's rows into its topic, each exactly once."""
