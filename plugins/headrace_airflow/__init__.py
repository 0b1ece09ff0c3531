"""Airflow's part of Headrace: operators, the gate, hooks. It builds on `headrace` and knows no Spark code."""
