"""Registers Headrace with Airflow. It brings no web routes: nothing is reachable without a login."""

from airflow.plugins_manager import AirflowPlugin


class HeadracePlugin(AirflowPlugin):
    """What Airflow lists under Admin > Plugins."""

    name = "headrace"
