"""What brokers learn of a client, and what a client learns of them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import GroupInUse
from rocketmq_tw.model.group import ConsumeType, MessageModel
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData
from rocketmq_tw.wire.requests.heartbeat import NotifyConsumerIdsChanged
from tests.client.cluster import Cluster


class Member:
    """A consumer that counts how often it is told to look again."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.told = 0

    def consumer_data(self) -> ConsumerData:
        """Describe it."""
        return ConsumerData(
            self.group, ConsumeType.CONSUME_PASSIVELY, MessageModel.CLUSTERING
        )

    def members_changed(self) -> None:
        """Count."""
        self.told += 1


class SessionTests(SynchronousTestCase):
    """Heartbeats, groups and notifications."""

    def setUp(self) -> None:
        """Start a session that knows a topic on two brokers."""
        self.cluster = Cluster(self)
        self.clock = self.cluster.clock
        self.a = self.cluster.broker("broker-a")
        self.b = self.cluster.broker("broker-b")
        self.cluster.topic("T", broker_a=4, broker_b=4)
        self.session = self.cluster.client(client_id="me").session
        self.session.start()
        self.cluster.deliver()
        self.session.routes.watch("T")
        self.session.routes.find("T")
        self.cluster.deliver()

    def tearDown(self) -> None:
        """Stop it: no timer may be left."""
        stopped = self.session.stop()
        self.cluster.pump(3)
        self.successResultOf(stopped)
        self.assertEqual(self.cluster.timers(), [])

    def heartbeat(self) -> None:
        """Send one to all, and wait for the answers."""
        done = self.session.heartbeats.send_all()
        self.cluster.deliver()
        self.successResultOf(done)

    def test_nobody_to_name(self) -> None:
        """Without producers and consumers there is no heartbeat."""
        self.heartbeat()
        self.assertEqual(self.a.heartbeats, [])

    def test_heartbeat_names_all_groups(self) -> None:
        """Every broker learns of every group, once."""
        self.session.groups.add_producer("p")
        self.session.groups.add_consumer("c", Member("c"))
        self.heartbeat()
        for broker in (self.a, self.b):
            (beat,) = broker.heartbeats
            self.assertEqual(beat.client_id, "me")
            self.assertEqual([p.group_name for p in beat.producer_data_set], ["p"])
            self.assertEqual([c.group_name for c in beat.consumer_data_set], ["c"])
            self.assertEqual(beat.heartbeat_fingerprint, 0)

    def test_periodic(self) -> None:
        """Every half minute or so, to every broker; routes are refreshed as often."""
        self.session.groups.add_producer("p")
        self.cluster.name_server.forget()
        self.cluster.pump(34, step=0.5)
        self.assertEqual(len(self.a.heartbeats), 1)
        self.assertEqual(self.cluster.name_server.asked, ["T"])
        self.cluster.pump(33, step=0.5)
        self.assertEqual(len(self.a.heartbeats), 2)

    def test_a_failure_does_not_end_the_heartbeats(self) -> None:
        """One heartbeat that cannot be written is logged; the next ones are sent."""
        member = Member("G")
        self.session.groups.add_consumer("G", member)
        member.consumer_data = lambda: 1 / 0  # type: ignore[method-assign]
        self.cluster.pump(35)
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        del member.consumer_data
        self.cluster.pump(35)
        self.assertTrue(self.a.heartbeats)

    def test_new_connection(self) -> None:
        """A broker that comes back learns of us at once, and members look again."""
        member = Member("c")
        self.session.groups.add_consumer("c", member)
        self.heartbeat()
        # Of each broker by itself, and when the broker has the group's new member.
        self.assertEqual(member.told, 4)
        connection = self.session.pool.live(self.a.address)
        assert connection is not None
        connection.close()
        self.cluster.deliver()
        self.session.pool.connection(self.a.address)
        self.cluster.deliver()
        self.assertEqual(len(self.a.heartbeats), 2)
        self.assertEqual(member.told, 6)

    def test_name_servers_get_no_heartbeat(self) -> None:
        """A connection to anybody but a broker is no reason to speak."""
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

    def test_members_changed(self) -> None:
        """Code 40 makes every group look again."""
        members = [Member("c"), Member("d")]
        for member in members:
            self.session.groups.add_consumer(member.group, member)
        self.heartbeat()
        before = [member.told for member in members]
        (connection,) = self.a.connections
        connection.call_one_way(NotifyConsumerIdsChanged(consumer_group="c"))
        self.cluster.deliver()
        told = [m.told - b for m, b in zip(members, before, strict=True)]
        self.assertEqual(told, [1, 1])

    def test_one_member_a_group(self) -> None:
        """A second one in the same role is refused; leaving makes room."""
        self.session.groups.add_producer("g")
        self.session.groups.add_consumer("g", Member("g"))
        self.assertRaises(GroupInUse, self.session.groups.add_producer, "g")
        self.assertRaises(
            GroupInUse, self.session.groups.add_consumer, "g", Member("g")
        )
        self.session.groups.remove_consumer("g")
        self.session.groups.add_consumer("g", Member("g"))

    def test_unregister(self) -> None:
        """Every broker that knows us learns that we leave."""
        self.session.groups.add_consumer("c", Member("c"))
        self.heartbeat()
        done = self.session.heartbeats.unregister_consumer("c")
        self.cluster.deliver()
        self.successResultOf(done)
        for broker in (self.a, self.b):
            (left,) = broker.left
            self.assertEqual((left.client_id, left.consumer_group), ("me", "c"))
            self.assertIsNone(left.producer_group)
