"""Airflow's part of Headrace: operators, the gate and what it waits for, hooks. It knows no Spark code.

What people use in DAGs of their own is importable from here, and stays: `from headrace_airflow import Gate,
PublishOperator, lag_below`. A name is imported when it is first asked for, since Airflow's processes import
this package for one module each.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_airflow.assets import table_asset, topic_asset
    from headrace_airflow.operators.analyse import AnalyseOperator
    from headrace_airflow.operators.audit import AuditOperator
    from headrace_airflow.operators.land import LandOperator
    from headrace_airflow.operators.maintain import MaintainOperator
    from headrace_airflow.operators.provision_topics import ProvisionTopicsOperator
    from headrace_airflow.operators.publish import PublishOperator
    from headrace_airflow.operators.publish_by_spark import SparkPublishOperator
    from headrace_airflow.operators.reconcile import ReconcileOperator
    from headrace_airflow.operators.report import ReportOperator
    from headrace_airflow.sensors.conditions import (
        analysed,
        complete_through,
        few_small_files,
        file_arrived,
        lag_below,
        landed,
        new_records,
        table_has,
        topic_ready,
        visible,
    )
    from headrace_airflow.sensors.gate import Gate

__all__ = [
    "AnalyseOperator",
    "AuditOperator",
    "Gate",
    "LandOperator",
    "MaintainOperator",
    "ProvisionTopicsOperator",
    "PublishOperator",
    "ReconcileOperator",
    "ReportOperator",
    "SparkPublishOperator",
    "analysed",
    "complete_through",
    "few_small_files",
    "file_arrived",
    "lag_below",
    "landed",
    "new_records",
    "table_asset",
    "table_has",
    "topic_asset",
    "topic_ready",
    "visible",
]

_MODULES = {
    "AnalyseOperator": "operators.analyse",
    "AuditOperator": "operators.audit",
    "Gate": "sensors.gate",
    "LandOperator": "operators.land",
    "MaintainOperator": "operators.maintain",
    "ProvisionTopicsOperator": "operators.provision_topics",
    "PublishOperator": "operators.publish",
    "ReconcileOperator": "operators.reconcile",
    "ReportOperator": "operators.report",
    "SparkPublishOperator": "operators.publish_by_spark",
    "table_asset": "assets",
    "topic_asset": "assets",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'sensors.conditions')}"), name)
