"""Land: the run's slice of the topic becomes rows of `readings` and `quarantine`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.contract.loader import WrittenContract
from headrace.contract.model import Contract
from headrace.driver.protocol import Job
from headrace.offsets import Position, lag, stop_after, text
from headrace.settings import load_settings
from headrace.tables.slices import Slice, extend_slice, find_slice, fix_slice, new_slice
from headrace.tables.warehouse import Warehouse
from headrace_airflow.accepted_loss import require_allowed
from headrace_airflow.operators.spark_stage import SparkStageOperator, as_text, end_of, guardians
from headrace_airflow.operators.stage import kafka_config
from headrace_airflow.ui.watched import Watched

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headrace.land.bounds import Bound


class LandOperator(SparkStageOperator):
    """Fixes the run's slice, then lands it. XCom: the slice's topic_id, and its end by partition.

    Args:
        contract: the stream's contract.
        published: how far `publish` has come, partition -> offset, usually its XCom; the slice covers it also
            where the run had a slice before. None where somebody else feeds the topic.
    """

    template_fields = (*SparkStageOperator.template_fields, "published")

    def __init__(self, *, contract: Path, published: Any = None, **kwargs: Any) -> None:
        super().__init__(contract=contract, script="land.py", **kwargs)
        self.published = published

    def prepare(self, contract: Contract, context: "Context") -> tuple[Job, Any]:
        """The job of the run's slice; a retry or a cleared run gets the slice of its first try."""
        from headrace.land.bounds import parse_bound
        from headrace.land.skipping import parse_offsets

        settings = load_settings()
        config = kafka_config(self.kafka_conn_id)
        params = context["params"]
        end = parse_bound("until", params.get("until"))
        warehouse = Warehouse.of(settings, contract.stream)
        run_slice = self._slice(warehouse, contract, config, context["run_id"], end)
        job = Job(
            contract=WrittenContract.of(Path(self.contract)),
            run_id=context["run_id"],
            warehouse=settings.warehouse_path,
            kafka=as_text(config),
            registry=_registry(contract),
            slice=run_slice,
            accept_loss=bool(params.get("accept_loss", False)),
            skip=parse_offsets(params.get("skip_offsets") or ""),
            begin=parse_bound("from", params.get("from")),
            records_per_batch=params.get("records_per_batch"),
            guardians=guardians(),
        )
        return job, end_of(run_slice)

    def done_here(self, contract: Contract, job: Job, watched: Watched) -> bool:
        """Land without a JVM what the contract leaves to the worker, or where nothing is left to land."""
        from headrace.land.idle import nothing_to_land

        assert job.slice is not None  # noqa: S101  # `prepare` has fixed it
        nothing_new = nothing_to_land(Warehouse(job.warehouse, contract.stream), job.slice)
        if nothing_new is not None:
            self.log.info("%s", nothing_new)
            return True
        if job.accept_loss:
            require_allowed(contract.stream, job.run_id)
        if job.skip:
            require_allowed(contract.stream, job.run_id, "skip_offsets")
        from headrace.driver.landing_job import landing_of
        from headrace.land.engines import land_here, needs_spark

        landing = landing_of(job, contract, watched.landed)
        if needs_spark(landing):
            return False
        land_here(landing)
        return True

    def _slice(
        self,
        warehouse: Warehouse,
        contract: Contract,
        config: dict[str, Any],
        run_id: str,
        bound: "Bound | None",
    ) -> Slice:
        from headrace.kafka.topics import describe_topic
        from headrace.tables.batches import landed_position

        known = find_slice(warehouse, run_id)
        if known is not None:
            self.log.info("The slice of this run, fixed at %s: %s", known.fixed_at, text(known.ranges))
            return self._covering_published(warehouse, known)
        name = contract.topic.name
        topic_id = describe_topic(config, name).topic_id
        start = landed_position(warehouse, topic_id)
        until = self._until(contract, config, start, bound)
        candidate = new_slice(run_id, name, topic_id, start, until)
        fixed = fix_slice(warehouse, candidate)
        self.log.info("The slice of this run, from now on: %s", text(fixed.ranges))
        return fixed

    def _until(
        self, contract: Contract, config: dict[str, Any], start: Position, bound: "Bound | None"
    ) -> dict[int, int]:
        """Where the run's slice ends: at the log's end, or where the run or the contract lets it stop."""
        from headrace.kafka.topics import log_end, log_start
        from headrace.land.bounds import end_within

        name, most = contract.topic.name, contract.landing.max_records_per_run
        end = end_within(config, name, start, log_end(config, name), bound)
        if most is None or lag(start, end) <= most:
            return end
        begins = log_start(config, name)  # what the log no longer holds takes nobody's time
        begins = {partition: max(at, start.get(partition, 0)) for partition, at in begins.items()}
        until = stop_after(begins, end, most)
        if until != end:
            self.log.info(
                "%s offsets wait; landing.max_records_per_run lets this run land %s, the next runs go on",
                f"{lag(begins, end):,}",
                f"{lag(begins, until):,}",
            )
        return until

    def _covering_published(self, warehouse: Warehouse, known: Slice) -> Slice:
        published = {int(partition): offset for partition, offset in (self.published or {}).items()}
        covering = extend_slice(warehouse, known, {}, published)
        if covering != known:
            self.log.info(
                "This run has published more since its slice was fixed; the slice is %s from now on",
                text(covering.ranges),
            )
        return covering


def _registry(contract: Contract) -> dict[str, Any]:
    """The configuration of the schema registry that the contract names, if it names one."""
    if contract.record.registry is None:
        return {}
    from headrace_airflow.hooks.schema_registry import registry_config

    return registry_config(contract.record.registry.connection)
