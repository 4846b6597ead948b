"""Tests of :mod:`rocketmq_tw.namesrv.routes`: brokers that change what they are."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.namesrv.live import BrokerKey
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable

from .fixtures import CLUSTER, MASTER, REPLICA, broker, replica, topics

KEY = BrokerKey(CLUSTER, MASTER)
REPLICA_KEY = BrokerKey(CLUSTER, REPLICA)


def four_queues(version: int = 1) -> TopicConfigAndMappingTable:
    """Make a table of topics A and B that have four queues each."""
    configs = {name: TopicConfig(name, 4, 4) for name in "AB"}
    return TopicConfigAndMappingTable(configs, DataVersion(1700, version))


def mapped(total: int, version: int = 1) -> TopicConfigAndMappingTable:
    """Make a table of topics A and B, the first of them static."""
    info = {"bname": "broker-a", "topic": "A", "totalQueues": total}
    return TopicConfigAndMappingTable(
        topics("A", "B").topic_config_table,
        DataVersion(1700, version),
        topic_queue_mapping_info_map={"A": info},
    )


class TableCase(SynchronousTestCase):
    """A table that notes what changes."""

    def setUp(self) -> None:
        """Make it."""
        self.changed: list[str | None] = []
        self.table = RouteTable(self.changed.append)

    def perm(self, topic: str = "A") -> int:
        """Look at the permissions of broker-a's queues."""
        return self.table.queues[topic]["broker-a"].perm

    def read_queues(self, name: str) -> int:
        """Look at the number of queues that a broker has of A."""
        return self.table.queues["A"][name].read_queue_nums


class PlaceTests(TableCase):
    """Names and ids that change hands."""

    def test_outdated_replica(self) -> None:
        """One that claims a newer master's id is removed, under its old id too."""
        self.table.register(broker("A", "B", state=2), 0.0)
        self.table.register(replica("A", "B"), 0.0)
        late = broker("A", "B", state=1, broker_addr=REPLICA)
        self.table.register(late, 1.0)
        self.assertIsNone(self.table.live.get(REPLICA_KEY))
        self.assertEqual(self.table.groups["broker-a"].addrs, {0: MASTER})

    def test_own_older_state(self) -> None:
        """A broker may register an older state than its own last one."""
        self.table.register(broker("A", "B", state=2), 0.0)
        self.table.register(broker("A", "C", state=1, version=2), 1.0)
        self.assertIn("C", self.table.queues)

    def test_older_state_of_another_cluster(self) -> None:
        """States are compared within a cluster."""
        self.table.register(broker("A", "B", state=2), 0.0)
        other = broker("A", "B", state=1, cluster="Other", broker_addr=REPLICA)
        self.table.register(other, 1.0)
        self.assertEqual(self.table.groups["broker-a"].addrs, {0: REPLICA})

    def test_promoted_with_the_same_topics(self) -> None:
        """A replica that becomes master is read in full, though nothing is newer."""
        self.table.register(replica("A", "B", acting_master=True), 0.0)
        self.assertEqual(self.perm(), 4)
        master = broker("A", "B", acting_master=True, broker_addr=REPLICA)
        self.table.register(master, 1.0)
        self.assertEqual(self.perm(), 6)

    def test_renamed_into_another_group(self) -> None:
        """Its topics replace those of the broker whose id it takes."""
        self.table.register(broker("A", "B"), 0.0)
        other = broker(broker_name="z", broker_addr=REPLICA, topics=four_queues())
        self.table.register(other, 0.0)
        self.assertEqual(self.read_queues("z"), 4)
        self.table.register(broker("A", "B", broker_name="z"), 1.0)
        self.assertEqual(self.read_queues("z"), 8)

    def test_prime_replica_alone_counts(self) -> None:
        """Topics of a replica count if it is the lowest, and supports acting."""
        self.table.register(replica("A", "B"), 0.0)
        self.assertEqual(self.table.queues, {})
        self.table.register(replica("A", "B", acting_master=True), 1.0)
        second = replica("C", "D", broker_id=2, broker_addr="x:1", acting_master=True)
        self.table.register(second, 2.0)
        self.assertEqual(sorted(self.table.queues), ["A", "B"])


class LeavingTests(TableCase):
    """Members of a group that leave it."""

    def group(self, **more: bool) -> None:
        """Register a master and a replica."""
        self.table.register(broker("A", "B", **more), 0.0)
        self.table.register(replica("A", "B", **more), 0.0)
        self.changed.clear()

    def test_replica_leaves(self) -> None:
        """While there is a master, its topics can be written to; routes change."""
        self.group(acting_master=True)
        self.table.unregister(REPLICA_KEY, "broker-a")
        self.assertEqual(self.perm(), 6)
        self.assertEqual(self.changed, [None])

    def test_master_leaves(self) -> None:
        """Where replicas do not act, permissions stay."""
        self.group()
        self.table.unregister(KEY, "broker-a")
        self.assertEqual(self.perm(), 6)


class MappingTests(TableCase):
    """The mappings of static topics."""

    def test_changed(self) -> None:
        """A new mapping changes the route, though the queues are the same."""
        self.table.register(broker(topics=mapped(2)), 0.0)
        self.changed.clear()
        self.table.register(broker(topics=mapped(2)), 1.0)
        self.assertEqual(self.changed, [])
        self.table.register(broker(topics=mapped(3, version=2)), 2.0)
        self.assertEqual(self.changed, ["A"])

    def test_unnamed_topics_stay(self) -> None:
        """Brokers with static topics do not name all; none is removed."""
        self.table.register(broker("A", "B", "C"), 0.0)
        self.table.register(broker(topics=mapped(2, version=2)), 1.0, forget=True)
        self.assertIn("C", self.table.queues)
