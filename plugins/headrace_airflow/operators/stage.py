"""What every stage that runs in the Airflow worker itself has in common."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace_airflow.failures import failing_as_task
from headrace_airflow.outlet_events import tell_of_outlets

if TYPE_CHECKING:
    from airflow.sdk import Context


class StageOperator(BaseOperator):
    """A stage of one stream.

    Args:
        contract: the stream's contract; it is read again by each run, so that a run sees its present text.
        kafka_conn_id: the Airflow connection of the broker.
    """

    def __init__(self, *, contract: Path, kafka_conn_id: str = "kafka_default", **kwargs: Any) -> None:
        super().__init__(multiple_outputs=True, **kwargs)
        self.contract = str(contract)
        self.kafka_conn_id = kafka_conn_id

    def execute(self, context: "Context") -> Any:
        """Run the stage; errors of Headrace decide whether Airflow tries again."""
        with failing_as_task():
            contract = load_contract(Path(self.contract))
            answer = self.run_stage(contract, kafka_config(self.kafka_conn_id), context)
        tell_of_outlets(self, contract, context)
        return answer

    @abstractmethod
    def run_stage(self, contract: Contract, config: dict[str, Any], context: "Context") -> Any:
        """The stage itself; what it returns becomes the task's XCom."""


def kafka_config(conn_id: str) -> dict[str, Any]:
    """The configuration of that connection, for Kafka clients.

    Raises:
        SettingsError: the connection is missing or wrong.
    """
    from headrace_airflow.hooks.kafka import KafkaConfigHook

    return KafkaConfigHook(conn_id).config()
