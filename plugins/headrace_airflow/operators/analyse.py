"""Analyse: the readings become daily completeness and hourly averages."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.contract.loader import WrittenContract
from headrace.contract.model import Contract
from headrace.driver.protocol import Job
from headrace.errors import WarehouseError
from headrace.settings import load_settings
from headrace.tables.attempt import Attempt
from headrace.tables.slices import find_slice
from headrace.tables.warehouse import Warehouse
from headrace_airflow.operators.spark_stage import SparkStageOperator, end_of, guardians
from headrace_airflow.ui.watched import Watched

if TYPE_CHECKING:
    from airflow.sdk import Context


class AnalyseOperator(SparkStageOperator):
    """Brings the gold tables up to the landed position; it needs no broker. XCom: as `land`'s."""

    def __init__(self, *, contract: Path, **kwargs: Any) -> None:
        super().__init__(contract=contract, script="analyse.py", **kwargs)

    def done_here(self, contract: Contract, job: Job, watched: Watched) -> bool:
        """Analyse without a JVM what the contract leaves to the worker, or where nothing was landed since."""
        from headrace.tables.progress import nothing_to_analyse

        attempt = Attempt(contract, Warehouse(job.warehouse, contract.stream), job.run_id)
        if nothing_to_analyse(contract, attempt.warehouse):
            self.log.info(
                "nothing new: no batch was landed since the last analysis; the gold tables stay as they are"
            )
            return True
        from headrace.analyse.engines import analyse_here, needs_spark

        if needs_spark(attempt):
            return False
        analyse_here(attempt)
        return True

    def prepare(self, contract: Contract, context: "Context") -> tuple[Job, Any]:
        """The job of this run.

        Raises:
            WarehouseError: the run has no slice.
        """
        settings = load_settings()
        run_slice = find_slice(Warehouse.of(settings, contract.stream), context["run_id"])
        if run_slice is None:
            raise WarehouseError(
                f"run {context['run_id']!r} has no slice: `land` has not run; clear and run `land` first"
            )
        job = Job(
            contract=WrittenContract.of(Path(self.contract)),
            run_id=context["run_id"],
            warehouse=settings.warehouse_path,
            slice=run_slice,
            guardians=guardians(),
        )
        return job, end_of(run_slice)
