"""The driver's protocol: what an Airflow task and the Spark driver that it starts tell each other."""
