"""All faults."""

from chaos.airflow_faults import AIRFLOW_FAULTS
from chaos.broker_faults import BROKER_FAULTS
from chaos.clock_faults import CLOCK_FAULTS
from chaos.election_faults import ELECTION_FAULTS
from chaos.faults import Fault
from chaos.landing_faults import LANDING_FAULTS
from chaos.loss_faults import LOSS_FAULTS
from chaos.memory_faults import MEMORY_FAULTS
from chaos.place_faults import PLACE_FAULTS
from chaos.process_faults import PROCESS_FAULTS
from chaos.restored_faults import RESTORED_FAULTS
from chaos.rival_faults import RIVAL_FAULTS
from chaos.table_faults import TABLE_FAULTS
from chaos.torn_faults import TORN_FAULTS

ALL: tuple[Fault, ...] = (
    *PROCESS_FAULTS,
    *LANDING_FAULTS,
    *TABLE_FAULTS,
    *RIVAL_FAULTS,
    *BROKER_FAULTS,
    *PLACE_FAULTS,
    *LOSS_FAULTS,
    *TORN_FAULTS,
    *RESTORED_FAULTS,
    *ELECTION_FAULTS,
    *MEMORY_FAULTS,
    *CLOCK_FAULTS,
    *AIRFLOW_FAULTS,
)


def chosen(name: str) -> list[Fault]:
    """The faults whose name begins so, several joined by `+`; all of them for `all`.

    Raises:
        SystemExit: there is none; the names are listed.
    """
    begins = tuple(name.split("+"))
    found = [fault for fault in ALL if name == "all" or fault.name.startswith(begins)]
    if not found:
        names = "\n".join(f"  {fault.name}" for fault in ALL)
        raise SystemExit(f"no fault's name begins with {name!r}; there are:\n{names}")
    return found
