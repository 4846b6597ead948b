"""What brokers learn of a client."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.groups import Groups
from rocketmq_tw.client.heartbeats import Heartbeats
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from tests.client.cases import SessionCase
from tests.client.fakes import FakeMember, FakeSession


class HeartbeatTests(SessionCase):
    """A client that knows a topic on two brokers."""

    def test_no_groups(self) -> None:
        """Without producers and consumers there is no heartbeat."""
        self.heartbeat()
        self.assertEqual(self.a.heartbeats, [])

    def test_heartbeat_names_all_groups(self) -> None:
        """Every broker learns of every group, once."""
        self.session.groups.add_producer("p")
        self.session.groups.add_consumer("c", FakeMember("c"))
        self.heartbeat()
        for broker in (self.a, self.b):
            (beat,) = broker.heartbeats
            self.assertEqual(beat.client_id, "me")
            self.assertEqual([p.group_name for p in beat.producer_data_set], ["p"])
            self.assertEqual([c.group_name for c in beat.consumer_data_set], ["c"])
            self.assertEqual(beat.heartbeat_fingerprint, 0)

    def test_new_connection(self) -> None:
        """A broker that is back gets one at once, and consumers rebalance."""
        member = FakeMember("c")
        self.session.groups.add_consumer("c", member)
        self.heartbeat()
        # Of each broker by itself, and when the broker has the group's new member.
        self.assertEqual(member.notified, 4)
        connection = self.session.pool.live(self.a.address)
        assert connection is not None
        connection.close()
        self.cluster.deliver()
        self.session.pool.connection(self.a.address)
        self.cluster.deliver()
        self.assertEqual(len(self.a.heartbeats), 2)
        self.assertEqual(member.notified, 6)

    def test_many_at_once(self) -> None:
        """Of a hundred consumers that start at once, a broker gets two heartbeats."""
        done = []
        for i in range(100):
            self.session.groups.add_consumer(f"c{i}", FakeMember(f"c{i}"))
            done.append(self.session.heartbeats.send_all())
        self.cluster.deliver()
        for each in done:
            self.successResultOf(each)
        first, last = self.a.heartbeats
        self.assertEqual(len(first.consumer_data_set), 1)
        self.assertEqual(len(last.consumer_data_set), 100)

    def test_name_servers_get_no_heartbeat(self) -> None:
        """A connection to anything but a broker is no reason for one."""
        self.session.groups.add_producer("p")
        self.session.pool.connection("10.0.0.1:9876")
        self.cluster.deliver()
        self.assertEqual(self.a.heartbeats, [])

    def test_dead_broker_does_not_hold_up_the_others(self) -> None:
        """Its failure is logged; the other broker has its heartbeat."""
        self.session.groups.add_producer("p")
        self.cluster.hang(self.a.address)
        done = self.session.heartbeats.send_all()
        self.cluster.deliver()
        self.assertEqual(len(self.b.heartbeats), 1)
        self.assertNoResult(done)
        self.clock.advance(3)
        self.successResultOf(done)

    def test_unregister(self) -> None:
        """Every broker that knows the client is notified."""
        self.session.groups.add_consumer("c", FakeMember("c"))
        self.heartbeat()
        done = self.session.heartbeats.unregister_consumer("c")
        self.cluster.deliver()
        self.successResultOf(done)
        for broker in (self.a, self.b):
            (left,) = broker.left
            self.assertEqual((left.client_id, left.consumer_group), ("me", "c"))
            self.assertIsNone(left.producer_group)

    def test_unregister_producer(self) -> None:
        """A producer group is left where there is a connection, and nowhere else."""
        self.session.groups.add_producer("p")
        done = self.session.heartbeats.unregister_producer("p")
        self.successResultOf(done)
        self.assertEqual(self.a.left, [])
        self.heartbeat()
        self.session.heartbeats.unregister_producer("p")
        self.cluster.deliver()
        self.assertEqual([left.producer_group for left in self.a.left], ["p"])


class ReplicaTests(SynchronousTestCase):
    """A broker with a replica."""

    def test_only_for_consumers(self) -> None:
        """A replica gets heartbeats only from clients that consume."""
        session = FakeSession()
        groups = Groups()
        brokers: Any = session.brokers
        brokers.live = lambda _address: None
        brokers.responses[Heartbeat] = Response()
        routes: Any = session.routes
        routes.brokers = {"broker-a": {0: "master:1", 1: "replica:1"}}
        heartbeats = Heartbeats(
            client_id="me", groups=groups, brokers=brokers, routes=routes
        )
        groups.add_producer("p")
        heartbeats.send_all()
        self.assertEqual([call[0] for call in brokers.calls], ["master:1"])
        groups.add_consumer("c", FakeMember("c"))
        heartbeats.send_all()
        called = [call[0] for call in brokers.calls[1:]]
        self.assertEqual(called, ["master:1", "replica:1"])
