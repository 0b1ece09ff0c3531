"""The landing that a job asks for, whoever does it: a task, a Spark driver, a process of the crash suite."""

from headrace.contract.model import Contract
from headrace.driver.protocol import Job
from headrace.errors import SettingsError
from headrace.land.landing import Landing
from headrace.land.progress import Tell, tell_nobody
from headrace.parse.schemas import Schemas
from headrace.tables.attempt import Attempt
from headrace.tables.warehouse import Warehouse


def landing_of(job: Job, contract: Contract, tell: Tell = tell_nobody) -> Landing:
    """A new attempt at the job's slice, with all that its run was told.

    Raises:
        SettingsError: the job has no slice.
    """
    if job.slice is None:
        raise SettingsError(f"run {job.run_id!r} was started without a slice; `land` is started by its task")
    return Landing(
        Attempt(contract, Warehouse(job.warehouse, contract.stream), job.run_id),
        job.slice,
        job.kafka,
        job.accept_loss,
        job.skip,
        job.begin,
        job.records_per_batch,
        tell,
        schemas=Schemas.of(job.registry),
    )
