"""Contracts to and from the Open Data Contract Standard (ODCS 3, bitol-io)."""
