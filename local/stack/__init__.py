"""The stack that runs: broker, Airflow's processes, Spark's configuration, and who keeps them running."""
