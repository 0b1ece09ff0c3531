"""One trial's world: a slice of T1.csv, a contract, a topic and a warehouse of its own, and its stages.

Where the fault is one of landing, the slice has what ends elsewhere than in `readings`: rows above a bound
of the contract, and rows that come again later.

A world has one run until a person triggers another, with its parameters: that begins with `publish` again.
"""

import json
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from chaos.compare import SPEED
from chaos.processes import Running
from chaos.tampering import CLOCK, LOST_ANSWER, UNLOCKED
from headrace.contract.loader import WrittenContract
from headrace.driver.protocol import DriverError, Job
from headrace.driver.spark_submit import SPARK_SUBMIT
from headrace.errors import HeadraceError
from headrace.kafka.topics import log_end
from headrace.land.idle import nothing_to_land
from headrace.publish.publications import read_publications
from headrace.settings import PROJECT, Settings, load_settings
from headrace.tables.batches import landed_position
from headrace.tables.progress import nothing_to_analyse
from headrace.tables.slices import Slice, extend_slice, find_slice, fix_slice, new_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker, scratch_broker
from local.stack.spark import spark_environment
from testbed.stages import Outcome
from testbed.streams import Stream, make_stream
from testbed.waiting import PATIENCE, until_nothing_is_open

if TYPE_CHECKING:
    from chaos.airflow_world import StackOfTrials
    from chaos.cluster import Cluster

T1 = PROJECT / "include" / "data" / "wind_turbine" / "T1.csv"
SHIPPED = PROJECT / "include" / "streams" / "wind_turbine.yaml"
RUN_ID = "chaos"
TRANSACTION = 2_000
BATCH = 1_500
BATCHES = 3
"""That a slice of a fault of landing has at least: it has 4,200 rows."""
TRIES = 8
PAUSE = 2.0
STAGES = ("publish", "land", "analyse")
REPEATS = 200
FASTEST = 12.0
"""Metres a second that the contract of a trial of landing permits; one row in seven of T1.csv has more."""

SPARK, WORKER = "spark", "worker"
"""The engines of landing."""

TAMPERED = {UNLOCKED, LOST_ANSWER, CLOCK}

WayOut = Callable[["World", Outcome], None]
"""What a person does about a refusal."""


@dataclass
class Bench:
    """What trials share: the broker; a stack where Airflow is needed, three brokers where they are."""

    broker: Broker
    folder: Path
    stack: "StackOfTrials | None" = None
    cluster: "Cluster | None" = None

    def ready(self) -> None:
        """Start the broker if a trial that went wrong has left it dead."""
        if self.broker.process is None or self.broker.process.poll() is not None:
            self.broker.start(PATIENCE)
        if self.cluster is not None:
            self.cluster.up()

    def close(self) -> None:
        """End what it started; the broker is its owner's."""
        if self.stack is not None:
            self.stack.close()
        if self.cluster is not None:
            self.cluster.close()


@contextmanager
def new_bench(folder: Path) -> Iterator[Bench]:
    """A broker of the trials' own in `folder`, up; ended with all that they started."""
    broker = scratch_broker(load_settings().home_path, folder / "broker")
    broker.start(PATIENCE)
    bench = Bench(broker, folder)
    try:
        yield bench
    finally:
        bench.close()
        broker.kill()


class World:
    """Everything that one trial has for itself."""

    def __init__(self, bench: Bench, name: str, rng: random.Random, stage: str, engine: str = WORKER) -> None:
        self.bench, self.rng, self.name, self.stage, self.engine = bench, rng, name, stage, engine
        self.broker = bench.broker
        self.folder = bench.folder / name
        self.folder.mkdir(parents=True)
        self.source = self.folder / "T1.csv"
        self.size = rng.randrange(4_000, 6_000)
        self.first, self.rows = self._write_source(self.size)
        self.stream: Stream = make_stream(self.contracts, self.connection, self._definition())
        self.config: dict[str, Any] = dict(self.stream.config)
        self.struck_at = 0.0
        self.notes: list[str] = []
        self.running: list[Running] = []
        self.run_id, self.runs, self.accept_loss, self.republish = RUN_ID, 1, False, False
        self.ways_out: dict[str, WayOut] = {}

    def _write_source(self, size: int) -> tuple[int, int]:
        """A slice of so many successive rows; where it begins, and how many rows it has with its repeats."""
        header, *lines = T1.read_bytes().splitlines(keepends=True)
        first = self.rng.randrange(len(lines) - size)
        placed = [(float(at), row) for at, row in enumerate(lines[first : first + size])]
        if self.stage == "land":
            again = self.rng.sample(placed, REPEATS)
            placed = sorted([*placed, *((self.rng.uniform(at + 0.5, size), row) for at, row in again)])
        self.source.write_bytes(b"".join([header, *(row for _, row in placed)]))
        return first + 1, len(placed)

    @property
    def fastest(self) -> float | None:
        """The bound above which a row belongs into quarantine."""
        return FASTEST if self.stage == "land" else None

    def _definition(self) -> dict[str, Any]:
        definition: dict[str, Any] = yaml.safe_load(SHIPPED.read_text("utf-8"))
        definition["stream"] = self.name
        definition["source"]["path"] = str(self.source)
        definition["topic"]["name"] = f"{self.name}.readings"
        if self.stage == "land":  # several batches, so that there is a first, a last and one between
            definition["landing"] |= {"max_records_per_batch": BATCH, "quarantine_limit": "100%"}
            (speed,) = (each for each in definition["record"]["signals"] if each["name"] == SPEED)
            speed["maximum"] = FASTEST
        return definition

    @property
    def connection(self) -> dict[str, Any]:
        """The configuration of the broker that the stream's topic is on."""
        return self.broker.config

    @property
    def contracts(self) -> Path:
        """Where the stream's contract is."""
        return self.folder

    @property
    def settings(self) -> Settings:
        """Settings as the trial's processes have them."""
        return Settings(
            home=self.folder / "home", warehouse=self.folder / "warehouse", source_roots=str(self.folder)
        )

    @property
    def environment(self) -> dict[str, str]:
        """The settings as variables."""
        now = self.settings
        return {
            "HEADRACE_HOME": str(now.home),
            "HEADRACE_WAREHOUSE": str(now.warehouse),
            "HEADRACE_SOURCE_ROOTS": now.source_roots,
        }

    @property
    def whole_environment(self) -> dict[str, str]:
        """What every command of the trial runs with."""
        return {**os.environ, **self.environment}

    @property
    def tables(self) -> Path:
        """The stream's folder in the warehouse."""
        return self.stream.warehouse(self.settings.warehouse_path).folder

    # -- its stages

    def start(self, stage: str, **environment: str) -> Running:
        """Start a stage's command as its task would.

        Raises:
            HeadraceError: the task's own preparation failed.
        """
        everything = self.whole_environment
        if stage == "land" and self.engine == WORKER:
            command = [sys.executable, "-m", "chaos.worker_land"]
            running = Running(command, {**everything, **self.job().environment(), **environment})
        elif stage == "publish":
            command = [sys.executable, "-m", "chaos.publisher"]
            arguments = [str(self.stream.file), self.run_id, str(TRANSACTION)]
            arguments += ["republish"] if self.republish else []
            arguments += ["accept_loss"] if self.accept_loss else []
            running = Running([*command, *arguments], {**everything, **environment}, json.dumps(self.config))
        else:
            script = PROJECT / "spark_jobs" / f"{stage}.py"
            everything |= spark_environment(load_settings())
            if TAMPERED & environment.keys():
                script = PROJECT / "chaos" / f"spark_{stage}.py"
                everything["PYTHONPATH"] = os.pathsep.join((str(PROJECT), *sys.path))
            everything |= self.job().environment()
            running = Running([SPARK_SUBMIT, str(script)], {**everything, **environment})
        self.running.append(running)
        return running

    def job(self) -> Job:
        """What the task hands to a driver."""
        return Job(
            contract=WrittenContract.of(self.stream.file),
            run_id=self.run_id,
            warehouse=self.settings.warehouse_path,
            kafka=self.config,
            slice=self._slice(self.stream.warehouse(self.settings.warehouse_path)),
            accept_loss=self.accept_loss,
        )

    def _slice(self, warehouse: Warehouse) -> Slice:
        """The run's slice as the operator has it: fixed once, and never shorter than what was published."""
        topic, topic_id = self.stream.contract.topic.name, self.stream.topic_id
        if known := find_slice(warehouse, self.run_id):
            newest = read_publications(warehouse)[-1:]
            published = newest[0].until if newest and newest[0].topic_id == topic_id else {}
            return extend_slice(warehouse, known, {}, published)
        until_nothing_is_open(self.config, topic)  # as the gate `published_visible` ensures
        stands = landed_position(warehouse, topic_id)
        return fix_slice(
            warehouse, new_slice(self.run_id, topic, topic_id, stands, log_end(self.config, topic))
        )

    def attempt(self, stage: str) -> Outcome:
        """One try of a stage's task, to its end; nothing is started where there is nothing to do."""
        try:
            idle = self._idle(stage)
            return Outcome(0, idle) if idle else self.start(stage).ended()
        except HeadraceError as failed:
            return Outcome(1, DriverError.of(failed).last_word())

    def _idle(self, stage: str) -> str | None:
        """Why the stage's task would start nothing, as it asks itself."""
        warehouse = self.stream.warehouse(self.settings.warehouse_path)
        if stage == "land" and (run_slice := self.job().slice):
            return nothing_to_land(warehouse, run_slice)
        if stage == "analyse" and nothing_to_analyse(self.stream.contract, warehouse):
            return "nothing to analyse"
        return None

    def repeat(self, stage: str) -> bool:
        """Try a stage as Airflow does, until it succeeds or says that no try can help.

        A person then takes the way out of that code, if the fault has one, and each of them once. Where that
        is another run, the stages before this one are its first.
        """
        for _ in range(TRIES):
            began, run_id = time.monotonic(), self.run_id
            outcome = self.attempt(stage)
            self.note(f"{stage}: {outcome} ({time.monotonic() - began:.1f} s)")
            if outcome.code == 0:
                return True
            if outcome.terminal:
                if not self._take_way_out(outcome):
                    return False
                if self.run_id != run_id and not all(map(self.repeat, STAGES[: STAGES.index(stage)])):
                    return False
            else:
                time.sleep(PAUSE)
        return False

    def _take_way_out(self, outcome: Outcome) -> bool:
        assert outcome.error
        way = self.ways_out.pop(outcome.error.code, None)
        if way:
            way(self, outcome)
        return way is not None

    def another_run(self, accept_loss: bool = False, republish: bool = False) -> None:
        """Trigger another run, with those parameters."""
        self.runs += 1
        self.run_id = f"{RUN_ID} {self.runs}"
        self.accept_loss, self.republish = accept_loss, republish
        self.note(f"run {self.run_id!r}: accept_loss {accept_loss}, republish {republish}")

    def grow(self, rows: int) -> None:
        """The source gets so many rows more at its end: those of T1.csv that follow, else that are before."""
        lines = T1.read_bytes().splitlines(keepends=True)[1:]
        following = lines[self.first - 1 + self.size :][:rows] or lines[: self.first - 1][:rows]
        with self.source.open("ab") as source:
            source.writelines(following)
        self.rows += len(following)
        self.note(f"the source grew by {len(following)} rows")

    # -- its fault

    def struck(self) -> None:
        """Now the fault has struck."""
        self.struck_at = time.monotonic()

    def note(self, text: str) -> None:
        """Something to tell if the trial fails."""
        self.notes.append(text)

    def close(self, keep: bool) -> None:
        """End what still runs, and remove the folder unless it is to be looked at."""
        for running in self.running:
            running.kill()
        if not keep:
            shutil.rmtree(self.folder)
