"""Sensors: the gate between two stages."""
