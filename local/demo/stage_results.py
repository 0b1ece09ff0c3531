"""What each stage of a run did, in numbers: from the tables, and from what `publish` tells Airflow."""

from dataclasses import dataclass

from headrace.contract.model import Contract
from headrace.reconcile.ledger import read_ledger
from headrace.tables.batches import read_batches
from headrace.tables.queries import counts
from headrace.tables.warehouse import Warehouse
from local.stack.rest_api import Airflow


@dataclass(frozen=True)
class StageNumbers:
    """The numbers of one run's stages, each true once that stage has succeeded."""

    contract: Contract
    warehouse: Warehouse
    api: Airflow
    run_id: str

    def __call__(self, task_id: str) -> str:
        """What that stage did; empty for gates, which do nothing but wait."""
        tell = {
            "provision_topics": self._provisioned,
            "publish": self._published,
            "land": self._landed,
            "analyse": self._analysed,
            "reconcile": self._reconciled,
        }.get(task_id)
        return tell() if tell else ""

    def _provisioned(self) -> str:
        topic = self.contract.topic
        return f"topic {topic.name}, {topic.partitions} partitions"

    def _published(self) -> str:
        published, rows = (
            int(self.api.xcom(self.contract.stream, self.run_id, "publish", key))
            for key in ("published", "rows")
        )
        return f"{published:,} rows published" if published else f"nothing new: all {rows:,} rows were there"

    def _landed(self) -> str:
        batches = [batch for batch in read_batches(self.warehouse) if batch.run_id == self.run_id]
        if not batches:
            return "nothing new in the topic"
        landed = sum(batch.landed for batch in batches)
        quarantined = sum(batch.quarantined for batch in batches)
        of = _count(len(batches), "batch", "batches")
        return f"{landed:,} landed + {quarantined:,} quarantined, in {of}"

    def _analysed(self) -> str:
        now = counts(self.warehouse)
        return f"{_count(now.days, 'day', 'days')}, {_count(now.hours, 'hour', 'hours')} in the gold tables"

    def _reconciled(self) -> str:
        entry = next(entry for entry in reversed(read_ledger(self.warehouse)) if entry.run_id == self.run_id)
        rows = sum(source.rows for source in entry.sources)
        return f"{rows:,} rows of the source, every one accounted for" if entry.balanced else "not balanced"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
