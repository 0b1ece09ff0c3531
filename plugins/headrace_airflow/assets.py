"""A stream's topic and tables as Airflow's assets: DAGs can be scheduled by them, the graph shows them."""

from airflow.sdk import Asset

from headrace.settings import load_settings

GROUP = "headrace"


def topic_asset(topic: str, kafka_conn_id: str = "kafka_default") -> Asset:
    """The topic of that name on the broker of that connection; `publish` tells of new records in it."""
    return Asset(name=f"topic:{topic}", uri=f"kafka://{kafka_conn_id}/{topic}", group=GROUP)


def table_asset(stream: str, table: str) -> Asset:
    """A table of a stream; `ledger` is told of when every record is accounted for."""
    path = load_settings().warehouse_path / stream / table
    return Asset(name=f"{stream}/{table}", uri=path.as_uri(), group=GROUP)
