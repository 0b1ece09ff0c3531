"""Publish: the rows of the stream's source are in its topic, each exactly once."""

from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.offsets import position_json
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse
from headrace_airflow.accepted_loss import require_allowed
from headrace_airflow.operators.stage import StageOperator
from headrace_airflow.params import with_source

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headrace.publish.folder import PublishFile
    from headrace.publish.published import Published


class PublishOperator(StageOperator):
    """Publishes the source's rows that are not published yet. XCom: publication, rows, published, until."""

    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> dict[str, Any]:
        """Publish; the parameter `republish` publishes all once more, `source_path` another file."""
        from headrace.publish.publishing import publish

        return as_xcom(publish_by(publish, contract, config, context, self.log.info))


def publish_by(
    publish_file: "PublishFile",
    contract: Contract,
    config: dict[str, Any],
    context: "Context",
    report: Any,
) -> "Published":
    """Have that function publish each of the source's files, unless the topic's log was cut off."""
    from headrace.land.before_publishing import cut_off, go_back
    from headrace.publish.kinds import publish_source
    from headrace_airflow.hooks.database import database_url

    settings, run_id, params = load_settings(), context["run_id"], context["params"]
    warehouse = Warehouse.of(settings, contract.stream)
    contract = with_source(contract, params)
    accept_loss = bool(params.get("accept_loss", False))
    if cut := cut_off(contract, warehouse, config, run_id):
        if accept_loss:
            require_allowed(contract.stream, run_id)
        go_back(contract, warehouse, config, cut, accept_loss)
    return publish_source(
        contract,
        settings,
        config,
        run_id,
        database=database_url,
        republish=bool(params.get("republish", False)),
        publish_file=publish_file,
        report=report,
    )


def as_xcom(published: "Published") -> dict[str, Any]:
    """What becomes the task's XCom."""
    return {
        "publication": published.publication,
        "rows": published.rows,
        "published": published.published,
        "until": position_json(published.until),
    }
