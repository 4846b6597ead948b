"""Tests of the lists that are made in steps."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.namesrv.groups import BrokerGroup
from rocketmq_tw.namesrv.lists import BROKERS, TOPICS, Lists
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import STEPS, Pacer
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.requests.route import (
    GetAllTopics,
    GetClusterInfo,
    GetTopicsByCluster,
)

from .fixtures import CLUSTER, MASTER, REPLICA, Served, broker, replica


class Peer:
    """A connection that counts how often it is asked whether it is lost."""

    address = "10.0.2.1:1234"
    is_lost = False
    is_write_blocked = False
    asked = 0

    @property
    def is_connected(self) -> bool:
        """Count, and say so."""
        self.asked += 1
        return not self.is_lost


class ListsTests(Served):
    """What is long is encoded in several reactor iterations."""

    def test_topics(self) -> None:
        """All of them are listed, once each."""
        names = [f"T{number:05d}" for number in range(3 * TOPICS)]
        self.register(*names)
        for request in (GetAllTopics(), GetTopicsByCluster(CLUSTER)):
            found = TopicList.decode(self.ask(request).body).topic_list
            self.assertEqual(sorted(found), names)
        other = TopicList.decode(self.ask(GetTopicsByCluster("X")).body)
        self.assertEqual(other.topic_list, ())

    def test_no_topics(self) -> None:
        """A list may be empty."""
        self.assertEqual(TopicList.decode(self.ask(GetAllTopics()).body), TopicList())

    def test_brokers(self) -> None:
        """All brokers and clusters are listed."""
        self.assertEqual(
            ClusterInfo.decode(self.ask(GetClusterInfo()).body), ClusterInfo()
        )
        self.register("A", "B")
        self.service.table.register(replica("A", "B"), 0.0)
        info = ClusterInfo.decode(self.ask(GetClusterInfo()).body)
        self.assertEqual(info.cluster_addr_table, {CLUSTER: {"broker-a"}})
        addrs = info.broker_addr_table["broker-a"].broker_addrs
        self.assertEqual(addrs, {0: MASTER, 1: REPLICA})

    def test_many_brokers(self) -> None:
        """They are in one table."""
        names = {f"b{number}" for number in range(2 * BROKERS + 1)}
        self.service.table.groups.update(
            {name: BrokerGroup(CLUSTER, name, {0: f"{name}:1"}) for name in names}
        )
        info = ClusterInfo.decode(self.ask(GetClusterInfo()).body)
        self.assertEqual(info.broker_addr_table.keys(), names)
        self.assertEqual(info.cluster_addr_table, {CLUSTER: names})


#: As many parts as are made in two reactor iterations, where the clock stands still.
PARTS = 2 * STEPS


class StepsTests(SynchronousTestCase):
    """The work in one reactor iteration."""

    def setUp(self) -> None:
        """Make a table of many topics, and a peer."""
        self.clock = Clock()
        self.table = RouteTable(lambda _: None)
        self.table.register(broker(*(f"T{n:05d}" for n in range(PARTS * TOPICS))), 0.0)
        self.lists = Lists(self.table, Pacer(self.clock))
        self.peer = Peer()

    def ask(self) -> Any:
        """Ask for all topics."""
        call = Call(Command(), self.peer, 0.0)  # type: ignore[arg-type]
        return self.lists.topics(call)

    def test_steps(self) -> None:
        """A list is made in parts, some of them in each iteration."""
        response = self.ask()
        self.assertNoResult(response)
        self.clock.pump([0.0] * 9)
        body = self.successResultOf(response).body
        self.assertEqual(len(TopicList.decode(body).topic_list), PARTS * TOPICS)
        self.assertEqual(self.peer.asked, STEPS)

    def test_peer_that_is_gone(self) -> None:
        """The rest of its list is not made."""
        response = self.ask()
        self.peer.is_lost = True
        self.clock.pump([0.0] * 9)
        self.assertIsNone(self.successResultOf(response))
        self.assertEqual(self.peer.asked, 1)
