"""What Headrace adds to Airflow's web UI."""
