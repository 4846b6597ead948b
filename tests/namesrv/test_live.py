"""Tests of :mod:`rocketmq_tw.namesrv.live`."""

from __future__ import annotations

import gc
import weakref

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.namesrv.live import BrokerKey, LiveBrokers

from .fixtures import CLUSTER, MASTER, REPLICA, broker, replica

KEY = BrokerKey(CLUSTER, MASTER)


class Connection:
    """A connection that is only compared."""


class LiveBrokersTests(SynchronousTestCase):
    """Brokers and the connections they registered by."""

    def setUp(self) -> None:
        """Start without brokers."""
        self.live = LiveBrokers()
        self.first, self.second = Connection(), Connection()

    def test_changed_by_another_connection(self) -> None:
        """A changed registration moves the broker to the connection it came by."""
        self.live.add(broker("A", connection=self.first), 0.0)
        self.live.add(broker("B", version=2, connection=self.second), 1.0)
        self.assertEqual(self.live.connected_by(self.first), [])
        [live] = self.live.connected_by(self.second)
        self.assertEqual((live.key, live.version.counter), (KEY, 2))

    def test_several_of_a_connection(self) -> None:
        """One of two that share a connection leaves; the other stays there."""
        self.live.add(broker("A", connection=self.first), 0.0)
        self.live.add(replica("A", connection=self.first), 0.0)
        self.assertTrue(self.live.drop(KEY))
        [live] = self.live.connected_by(self.first)
        self.assertEqual(live.key.broker_addr, REPLICA)
        self.assertFalse(self.live.drop(KEY))

    def test_nothing_is_left(self) -> None:
        """A connection without brokers is held no longer."""
        self.live.add(broker("A", connection=self.first), 0.0)
        self.live.drop(KEY)
        held = weakref.ref(self.first)
        del self.first
        gc.collect()
        self.assertIsNone(held())

    def test_fingerprints_of_one_name(self) -> None:
        """Those of other names are still known."""
        other = BrokerKey(CLUSTER, "b:1")
        self.live.add(broker("A", fingerprint=7), 0.0)
        lone = broker("A", fingerprint=8, broker_name="b", broker_addr="b:1")
        self.live.add(lone, 0.0)
        self.live.forget_fingerprints("broker-a")
        self.assertIsNone(self.live.renew(KEY, 7, self.first, 1.0))
        self.assertIsNotNone(self.live.renew(other, 8, self.first, 1.0))

    def test_touch(self) -> None:
        """A request counts from its time; one of an unknown broker does nothing."""
        self.live.add(broker("A", timeout=10.0), 0.0)
        self.live.touch(BrokerKey(CLUSTER, "nobody:1"), 5.0)
        self.live.touch(KEY, 5.0)
        self.assertEqual(self.live.expired(15.0), [])
        self.assertEqual(len(self.live.expired(15.1)), 1)
        self.assertEqual(len(list(self.live)), 1)
