"""The embedded stack of one machine: Java, jars, broker, Airflow's processes, all under HEADRACE_HOME."""
