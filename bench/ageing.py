"""How a stream ages: a thousand micro-batches landed in one go, and the time that each of them took."""

import itertools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from rich.console import Console
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from bench.contenders.start import Start, headrace_spark
from bench.stream import broker, definition, rows
from headrace.contract.loader import WrittenContract, load_contract
from headrace.driver.protocol import Guardian, Job
from headrace.errors import RunFailed
from headrace.gates.answers import Answers
from headrace.gates.of_broker import Visible
from headrace.kafka.topics import ensure_topic
from headrace.publish.publishing import publish
from headrace.settings import Settings
from headrace.tables.batches import Batch, read_batches
from headrace.tables.slices import new_slice
from headrace.tables.warehouse import Warehouse

SHARE = 10
"""The first and the last tenth of the batches are compared."""
MINUTES = 10
"""Between two readings, as in T1."""


@dataclass(frozen=True)
class Ageing:
    """Seconds from each batch's end to the next one's, what the driver does between batches included."""

    seconds: tuple[float, ...]

    @classmethod
    def of(cls, batches: list[Batch]) -> "Ageing":
        """From the batches' own account; the first has a JVM to warm up and no batch before it."""
        ends = [batch.finished for batch in batches]
        return cls(tuple((b - a).total_seconds() for a, b in itertools.pairwise(ends)))

    @property
    def share(self) -> int:
        """How many batches the medians at both ends are of."""
        return max(1, (len(self.seconds) + 1) // SHARE)

    @property
    def first(self) -> float:
        """Median seconds of the first tenth."""
        return median(self.seconds[: self.share])

    @property
    def last(self) -> float:
        """Median seconds of the last tenth."""
        return median(self.seconds[-self.share :])

    @property
    def ratio(self) -> float:
        """How many times as long the last tenth takes."""
        return self.last / self.first

    @property
    def whole(self) -> float:
        """Median seconds of all batches."""
        return median(self.seconds)


def land_many(
    folder: Path, batches: int, records: int, console: Console, start: Start = headrace_spark
) -> Ageing:
    """Publish `batches` * `records` readings and land them in one run; a line every tenth of them.

    Raises:
        RunFailed: the landing failed; its output is part of the message.
    """
    folder.mkdir(exist_ok=True)
    settings = Settings(home=folder / "home", warehouse=folder / "warehouse", source_roots=str(folder))
    with broker(folder) as config:
        contract_file = _contract(folder, records)
        contract = load_contract(contract_file)
        source = folder / "readings.csv"
        rows(0, batches * records, MINUTES).write_csv(source)
        topic_id = ensure_topic(config, contract.topic).topic_id
        published = publish(contract, settings, config, "ageing", report=console.print)
        _await_visible(Visible(topic=published.topic, until=published.until), config)
        run_slice = new_slice("ageing", published.topic, topic_id, {}, published.until)
        job = Job(
            contract=WrittenContract.of(contract_file),
            run_id="ageing",
            warehouse=settings.warehouse_path,
            kafka=config,
            slice=run_slice,
            guardians=(Guardian.of(os.getpid()),),
        )
        _land(start(job), max(1, batches // SHARE), console)
        return Ageing.of(read_batches(Warehouse.of(settings, contract.stream)))


def _await_visible(visible: Visible, config: dict[str, Any]) -> None:
    """What the gate `published_visible` does: a commit is answered a moment before consumers see it."""
    until_met = Retrying(
        retry=retry_if_result(lambda verdict: not verdict.met),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(60),
    )
    until_met(lambda: visible.check(Answers(config)))


def _contract(folder: Path, records: int) -> Path:
    own = definition("ageing", records)
    own["source"]["path"] = str(folder / "readings.csv")
    file = folder / "ageing.yaml"
    file.write_text(yaml.safe_dump(own, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file


def _land(process: "subprocess.Popen[str]", every: int, console: Console) -> None:
    said: list[str] = []
    try:
        for line in process.stdout or ():
            said.append(line)
            if (batch := re.match(r"batch (\d+):", line)) and int(batch[1]) % every == 0:
                console.print(line.rstrip(), markup=False)
    except BaseException:
        process.kill()
        raise
    if process.wait():
        raise RunFailed("".join(said[-20:]))
