"""Operators: one per stage."""
