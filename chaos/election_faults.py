"""An unclean leader election: of three brokers one has all records, is lost, and another one leads."""

from typing import Any

from chaos.cluster import BROKERS, Cluster
from chaos.faults import Fault, killed_at
from chaos.restored_faults import LOG_BACK, accept_and_republish, settled
from chaos.world import World
from headrace.kafka.topics import log_end
from testbed.stages import Outcome
from testbed.waiting import awaited


class ClusterWorld(World):
    """The stream's topic is on three brokers."""

    @property
    def cluster(self) -> Cluster:
        """Brought up with the first trial that needs it."""
        if self.bench.cluster is None:
            self.bench.cluster = Cluster(self.bench.folder / "cluster")
            self.bench.cluster.up()
        return self.bench.cluster

    @property
    def connection(self) -> dict[str, Any]:
        """The cluster's, which asks for no log-in."""
        return {"bootstrap.servers": self.cluster.bootstrap}

    def _definition(self) -> dict[str, Any]:
        definition = super()._definition()
        definition["topic"]["replication"] = len(BROKERS)
        definition["topic"]["config"]["unclean.leader.election.enable"] = True
        return definition


def _unclean_election(given: World) -> list[Outcome]:
    """Two are lost inside a publication, which the third one takes to its end and which is landed from it."""
    assert isinstance(given, ClusterWorld)
    world, cluster, topic = given, given.cluster, given.stream.contract.topic.name
    outcomes = killed_at(world, "publish", f"publish.before_begin:{world.rng.randint(2, 3)}")
    awaited(lambda: settled(world), every=0.2)
    last = world.rng.choice(BROKERS)
    others = [each for each in BROKERS if each != last]
    cluster.kill(*others)
    awaited(lambda: cluster.in_sync(topic) == {last}, every=0.2)
    assert all(map(world.repeat, ("publish", "land")))
    ends = log_end(world.config, topic)
    cluster.kill(last)
    cluster.start(*others)
    awaited(lambda: (leaders := cluster.leaders(topic)) and leaders <= set(others), every=0.2)
    world.struck()
    cluster.start(last)
    awaited(lambda: cluster.in_sync(topic) == set(BROKERS), every=0.2)
    awaited(lambda: settled(world), every=0.2)
    world.note(f"broker {last} had the topic up to {ends}, the others up to {log_end(world.config, topic)}")
    world.another_run()
    return outcomes


ELECTION_FAULTS = (
    Fault(
        "unclean leader election on three brokers",
        "publish",
        _unclean_election,
        "two brokers are lost inside the publication, the third one after it was landed; the two lead again",
        LOG_BACK,
        ways_out={"HR309": accept_and_republish},
        comes_again=True,
        kind=ClusterWorld,
    ),
)
