"""The names of a stream's tables, each the folder that holds it."""

READINGS = "readings"
QUARANTINE = "quarantine"
DAILY_COMPLETENESS = "daily_completeness"
HOURLY_AVERAGE = "hourly_average"
AVERAGES = "averages"
BATCHES = "batches"
PUBLICATIONS = "publications"
LEDGER = "ledger"

LANDED = (READINGS, QUARANTINE)
"""The tables that `land` writes; a record of the topic is in one of them."""

GOLD = (DAILY_COMPLETENESS, HOURLY_AVERAGE)
"""The tables that `analyse` writes if the contract says no other."""
