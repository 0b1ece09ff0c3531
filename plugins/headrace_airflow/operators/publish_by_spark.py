"""Publish by Spark: the rows of the stream's source are in its topic, each at least once."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.contract.loader import WrittenContract, load_contract
from headrace.contract.model import Contract
from headrace.driver.protocol import Job
from headrace.errors import SourceError
from headrace.offsets import position_json
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse
from headrace_airflow.failures import failing_as_task
from headrace_airflow.operators.publish import as_xcom, publish_by
from headrace_airflow.operators.spark_stage import SparkStageOperator, as_text, guardians
from headrace_airflow.operators.stage import kafka_config
from headrace_airflow.ui.watched import Watched

if TYPE_CHECKING:
    from airflow.sdk import Context


class SparkPublishOperator(SparkStageOperator):
    """Publishes as `PublishOperator` does, by Spark Structured Streaming: `publish.engine: spark`.

    Files are read, found right and put into the spool here; a driver publishes the new ones from there. What
    a retry repeats lands as duplicates. XCom: publication, rows, published, until.
    """

    _refused: SourceError | None = None

    def __init__(self, *, contract: Path, **kwargs: Any) -> None:
        super().__init__(contract=contract, script="publish.py", **kwargs)

    def execute(self, context: "Context") -> Any:
        """Have a driver publish what is new, and then fail of files that were refused."""
        answer = super().execute(context)
        with failing_as_task():
            if self._refused:
                raise self._refused
            return self._with_end(answer)

    def prepare(self, contract: Contract, context: "Context") -> tuple[Job, Any]:
        """The job: the publications of what is new. A file that is refused does not keep others from it."""
        from headrace.publish.handing_over import HandingOver

        config, handing_over, answer = kafka_config(self.kafka_conn_id), HandingOver(), {}
        try:
            answer = as_xcom(publish_by(handing_over, contract, config, context, self.log.info))
        except SourceError as refused:
            if not handing_over.publications:
                raise
            self._refused = refused
        job = Job(
            contract=WrittenContract.of(Path(self.contract)),
            run_id=context["run_id"],
            warehouse=load_settings().warehouse_path,
            kafka=as_text(config),
            publications=tuple(handing_over.publications),
            guardians=guardians(),
        )
        return job, answer

    def done_here(self, contract: Contract, job: Job, watched: Watched) -> bool:
        """Whether nothing is new."""
        return not job.publications

    def _with_end(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer with the topic's end behind all that is published into the same topic."""
        from headrace.publish.publications import ends_of, read_publications

        contract = load_contract(Path(self.contract))
        known = read_publications(Warehouse.of(load_settings(), contract.stream))
        (topic_id,) = {row.topic_id for row in known if row.publication == answer["publication"]}
        return answer | {"until": position_json(ends_of(known, topic_id))}
