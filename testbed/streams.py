"""A stream of one's own on a broker: its contract, topic and slices, and the jobs that land them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from headrace.contract.loader import WrittenContract, load_contract
from headrace.contract.model import Contract
from headrace.driver.protocol import Job
from headrace.kafka.topics import ensure_topic, log_end
from headrace.tables.slices import Slice, new_slice
from headrace.tables.warehouse import Warehouse
from testbed.waiting import until_nothing_is_open


@dataclass(frozen=True)
class Stream:
    """A stream with a topic of its own on the broker."""

    file: Path
    contract: Contract
    config: dict[str, Any]
    topic_id: str

    def slice_to_end(self, start: dict[int, int] | None = None) -> Slice:
        """What stands in the topic now, from `start`; waits for consumers to see what was just committed."""
        topic = self.contract.topic.name
        until_nothing_is_open(self.config, topic)
        return new_slice("a run", topic, self.topic_id, start or {}, log_end(self.config, topic))

    def job(self, root: Path, run_slice: Slice | None = None, **more: Any) -> Job:
        """A job that lands the slice into the warehouse at `root`."""
        return Job(
            contract=WrittenContract.of(self.file),
            run_id="a run",
            warehouse=root,
            kafka=self.config,
            slice=run_slice or self.slice_to_end(),
            **more,
        )

    def warehouse(self, root: Path) -> Warehouse:
        """The stream's warehouse at `root`."""
        return Warehouse(root, self.contract.stream)


def make_stream(folder: Path, config: dict[str, Any], definition: dict[str, Any]) -> Stream:
    """Write the contract and make its topic on the broker of `config`; nobody else has its name."""
    topic = definition["topic"]
    definition = definition | {"topic": topic | {"name": f"{topic['name']}.{uuid4().hex[:8]}"}}
    file = folder / f"{definition['stream']}.yaml"
    file.write_text(yaml.safe_dump(definition, allow_unicode=True, sort_keys=False), encoding="utf-8")
    contract = load_contract(file)
    return Stream(file, contract, config, ensure_topic(config, contract.topic).topic_id)


def show(*lines: str) -> None:
    """Lines for a person who runs the tests with `-s`."""
    print("", *lines, sep="\n")  # noqa: T201  # an account of what the tables held before and after
