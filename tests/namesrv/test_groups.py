"""Tests of the brokers of one name."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.route import QueueData
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.namesrv.groups import (
    BrokerGroup,
    is_prime_replica,
    named,
    queue_data,
    without,
)
from rocketmq_tw.namesrv.live import LiveBrokers

from .fixtures import CLUSTER, MASTER, REPLICA, broker, replica


class GroupTests(SynchronousTestCase):
    """What a registration means for a group."""

    def test_prime_replica(self) -> None:
        """The one with the lowest id, if it can act as master."""
        group = BrokerGroup(CLUSTER, "broker-a", {1: REPLICA})
        self.assertFalse(is_prime_replica(replica("A", "B"), group))
        able = replica("A", "B", acting_master=False)
        self.assertTrue(is_prime_replica(able, group))
        group.addrs = {0: MASTER, 1: REPLICA}
        self.assertFalse(is_prime_replica(able, group))

    def test_without(self) -> None:
        """A broker's address is listed under one id."""
        addrs = {0: REPLICA, 1: REPLICA, 2: MASTER}
        self.assertEqual(without(addrs, replica("A")), {1: REPLICA, 2: MASTER})

    def test_named(self) -> None:
        """The topics of all parts since the first; nothing without the first."""
        live = LiveBrokers()
        self.assertIsNone(named(None, broker("A", part="next")))
        known = live.add(broker("A", part="first"), 0.0)
        self.assertIsNone(named(known, broker("B", part="last")))
        known.named = named(known, broker("A", part="first"))
        self.assertEqual(named(known, broker("B", part="last")), {"A", "B"})
        self.assertEqual(named(known, broker("C")), {"C"})

    def test_queue_data(self) -> None:
        """The form of routes, with some permissions taken away."""
        config = TopicConfig("T", 4, 8, 6, topic_sys_flag=1)
        self.assertEqual(queue_data("b", config, ~2), QueueData("b", 4, 8, 4, 1))
