"""Benchmarks; each prints ratios of one run, never a bound in seconds."""
