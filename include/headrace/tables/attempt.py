"""Who commits: one process's attempt at a stage of a stream, known by an id that no other process has."""

from dataclasses import dataclass, field
from uuid import uuid4

from headrace.contract.model import Contract
from headrace.offsets import Ranges
from headrace.tables.commits import BatchCommit
from headrace.tables.warehouse import Warehouse


@dataclass(frozen=True)
class Attempt:
    """What all commits of one process have in common; its `try_id` tells them from those of others."""

    contract: Contract
    warehouse: Warehouse
    run_id: str
    try_id: str = field(default_factory=lambda: uuid4().hex)

    def batch_commit(self, batch: int, topic_id: str, ranges: Ranges) -> BatchCommit:
        """The metadata of a new batch of this attempt."""
        return BatchCommit(
            batch=batch,
            run_id=self.run_id,
            try_id=self.try_id,
            topic_id=topic_id,
            ranges=ranges,
            contract_sha256=self.contract.sha256,
        )
