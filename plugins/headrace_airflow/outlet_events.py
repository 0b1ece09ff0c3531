"""Events of a stage's assets: one where its topic or table stands otherwise than the last event said.

Airflow makes an event of each of a task's outlets whenever the task succeeds, so that whatever is scheduled
by a table would run after each idle run. What is compared is what the server keeps, not what this try did: a
try that was killed between its commit and its end is told of by the next.
"""

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from headrace.contract.model import Contract
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse
from headrace_airflow.assets import topic_asset

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context


def tell_of_outlets(task: "BaseOperator", contract: Contract, context: "Context") -> None:
    """Keep those of the task's outlets that stand otherwise than the last event said, and say how.

    Args:
        task: the stage, which has done its work; an outlet that is none of the stream's is kept as it is.
        contract: the stream's.
        context: the task's.
    """
    # Airflow 3.3 makes the events of what the task's outlets are at its end, and has no other way to make
    # none (tests/e2e/test_pipeline.py would see it).
    task.outlets = [each for each in task.outlets if _has_news(each, contract, context)]


def _has_news(outlet: Any, contract: Contract, context: "Context") -> bool:
    """Whether an event of that outlet is to be made; what it says is in the context then."""
    from headrace.publish.publications import published_position
    from headrace.tables.standing import Standing, standing_of

    if not isinstance(outlet, Asset):
        return True
    warehouse = Warehouse.of(load_settings(), contract.stream)
    stream, _, table = outlet.name.partition("/")
    standing: Standing | None
    if outlet.name == topic_asset(contract.topic.name).name:
        standing, table = {"position": published_position(warehouse)}, ""
    elif stream == contract.stream:
        standing = standing_of(warehouse, table)
    else:
        return True
    if standing is None or standing.items() <= _last_event(outlet).items():
        return False
    details = _details(warehouse, table) if table else {}
    context["outlet_events"][outlet].extra = standing | details
    return True


def _details(warehouse: Warehouse, table: str) -> dict[str, Any]:
    """Beside the standing: the table's version, and up to where every entity has analysed readings."""
    from headrace.tables.commits import newest_version
    from headrace.tables.names import LANDED
    from headrace.tables.queries import complete_through

    version = {"version": newest_version(warehouse.table(table))}
    if table in LANDED:  # not analysed yet
        return version
    through = complete_through(warehouse)
    return version | {"complete_through": through and through.isoformat()}


def _last_event(asset: Asset) -> dict[str, Any]:
    """What the newest event of the asset said; nothing if there is none."""
    from airflow.sdk.execution_time.context import InletEventsAccessor

    newest = InletEventsAccessor(asset_name=asset.name, asset_uri=asset.uri).ascending(False).limit(1)
    return dict(newest[0].extra or {}) if len(newest) else {}
