"""Hooks: the only places that read Airflow connections."""
