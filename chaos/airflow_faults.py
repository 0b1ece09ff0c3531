"""Faults of Airflow's parts; nothing is repeated by hand: Airflow itself recovers, or the trial fails."""

import json
import os
import signal
from contextlib import suppress

import psutil
from confluent_kafka import Producer

from chaos.airflow_world import AirflowWorld
from chaos.faults import Fault, Strike
from chaos.world import World
from headrace.driver.process_tree import tree
from local.stack.stack import DRIVERS
from testbed.stages import Outcome
from testbed.waiting import awaited

AIRFLOW = "airflow"
"""The stage of these faults: a whole run."""


def _world(world: World) -> AirflowWorld:
    assert isinstance(world, AirflowWorld)
    return world


def _driver(world: AirflowWorld) -> psutil.Process:
    """The Python of the run's `land`, once it holds the stream's lock."""
    holder = world.tables / "_writer.json"
    awaited(holder.exists, seconds=600)
    return psutil.Process(int(json.loads(holder.read_text())["pid"]))


def _task_process_killed(given: World) -> list[Outcome]:
    world = _world(given)
    world.trigger()
    python = _driver(world)
    jvm = python.parent()
    assert jvm
    # A kept driver is its keeper's child, another one its task's.
    kept = {each.process.pid: each.task for each in world.stack.kept()}
    task = psutil.Process(kept.get(jvm.pid) or jvm.ppid())
    with suppress(psutil.TimeoutExpired):
        python.wait(world.rng.uniform(0, 10))
    task.kill()
    world.struck()
    _, left = psutil.wait_procs([python, jvm], timeout=60)
    assert not left, f"the driver outlived its task: {left}"
    world.await_state("land", "success")
    return []


def _part_killed(part: str, given: World) -> list[Outcome]:
    """Killed while the run publishes, lands or analyses."""
    world = _world(given)
    world.trigger()
    stage = world.rng.choice(["publish", "land", "analyse"])
    world.await_state(stage, "running")
    world.note(f"killed while `{stage}` was running")
    os.kill(world.stack.pid(part), signal.SIGKILL)
    world.struck()
    world.await_state(stage, "success")
    return []


def _kept_driver_killed(given: World) -> list[Outcome]:
    """Its JVM alone, at any moment after it was given to `land`."""
    world = _world(given)
    world.idle_driver()
    world.trigger()
    (jvm,) = awaited(lambda: [each for each in world.stack.kept() if each.job], seconds=600)
    assert str(jvm.job).startswith("land")
    tree_of_it = tree(psutil.Process(jvm.process.pid))
    with suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
        psutil.Process(jvm.process.pid).wait(world.rng.uniform(0, 5))
    os.kill(jvm.process.pid, signal.SIGKILL)
    world.struck()
    _, left = psutil.wait_procs(tree_of_it, timeout=60)
    assert not left, f"the JVM is gone, and not all of its driver: {left}"
    world.await_state("land", "success")
    return []


def _idle_driver_killed(given: World) -> list[Outcome]:
    """At any moment of the run before `land` takes it."""
    world = _world(given)
    idle = world.idle_driver()
    world.trigger()
    world.await_state("publish", "running")
    with suppress(psutil.TimeoutExpired):
        psutil.Process(idle).wait(world.rng.uniform(0, 5))
    os.kill(idle, signal.SIGKILL)
    world.struck()
    world.await_state("land", "success")
    return []


def _keeper_killed(given: World) -> list[Outcome]:
    """While it has an idle driver, or one that lands."""
    world = _world(given)
    world.idle_driver()
    world.trigger()
    world.await_state(stage := world.rng.choice(["publish", "land"]), "running")
    with suppress(psutil.TimeoutExpired):
        psutil.Process(world.stack.pid(DRIVERS)).wait(world.rng.uniform(0, 5))
    idle = [psutil.Process(each.process.pid) for each in world.stack.kept() if not each.job]
    os.kill(world.stack.pid(DRIVERS), signal.SIGKILL)
    world.struck()
    world.note(f"killed while `{stage}` was running, with {len(idle)} idle")
    _, left = psutil.wait_procs(idle, timeout=60)
    assert not left, f"an idle driver outlived its keeper: {left}"
    world.await_state("land", "success")
    return []


def _database_lost(given: World) -> list[Outcome]:
    """With its run and all that Airflow knew; a person starts the stack again, and triggers a run."""
    world = _world(given)
    world.trigger()
    stage = world.rng.choice(["publish", "land", "analyse"])
    world.await_state(stage, "running")
    world.note(f"lost while `{stage}` was running")
    world.stack.lose_database()
    world.struck()
    world.trigger()
    world.await_state(stage, "success")
    return []


def _triggerer_killed(given: World) -> list[Outcome]:
    """Somebody else's transaction makes the gate wait; it is aborted when the new triggerer runs."""
    world = _world(given)
    producer = Producer(
        {
            **world.connection,
            "transactional.id": f"{world.name}-somebody-else",
            "transaction.timeout.ms": 900_000,
        }
    )
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(world.stream.contract.topic.name, value=b"never to be seen", partition=0)
    assert producer.flush(60) == 0
    world.trigger()
    world.await_state("published_visible", "deferred")
    before = world.stack.pid("triggerer")
    os.kill(before, signal.SIGKILL)
    world.struck()
    awaited(lambda: world.stack.pid("triggerer") != before, seconds=300)
    producer.abort_transaction(60)
    world.await_state("published_visible", "success")
    return []


def _fault(name: str, strike: Strike, injected: str, recovered: str = "Airflow's own") -> Fault:
    return Fault(name, AIRFLOW, strike, injected, recovered, kind=AirflowWorld)


AIRFLOW_FAULTS = (
    _fault("task process killed", _task_process_killed, "SIGKILL of `land`'s task process while it lands"),
    _fault(
        "scheduler killed",
        lambda world: _part_killed("scheduler", world),
        "SIGKILL while a stage is running",
    ),
    _fault(
        "warm driver killed while it lands",
        _kept_driver_killed,
        "SIGKILL of a kept driver's JVM, at any moment after `land` got it",
    ),
    _fault(
        "warm driver killed while idle",
        _idle_driver_killed,
        "SIGKILL of a kept driver's JVM before `land` takes it",
    ),
    _fault(
        "keeper of warm drivers killed",
        _keeper_killed,
        "SIGKILL of the keeper while a stage is running",
    ),
    _fault(
        "triggerer killed while a gate waits", _triggerer_killed, "SIGKILL while `published_visible` waits"
    ),
    _fault(
        "Airflow's database lost",
        _database_lost,
        "the database is removed while a stage is running",
        "a person gives `make down` and `make up`, and triggers a run",
    ),
)
