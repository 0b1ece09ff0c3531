"""The core of Headrace: contracts, topics, offsets, publishing, tables and the ledger.

It knows neither Airflow nor Spark: `headrace_airflow` and `headrace_spark` build on it, never the reverse.
"""
