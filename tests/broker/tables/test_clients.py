"""Tests of the table of connected clients."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.clients import (
    CLIENT_LIFE,
    NOTIFIED_AT_ONCE,
    ClientTable,
    MemberNotifier,
)
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.model.group import (
    ConsumeFrom,
    ConsumeType,
    MessageModel,
    SubscriptionGroup,
)
from rocketmq_tw.model.subscription import Subscription, parse
from tests.broker.doubles import MemoryConnection, MemoryFile, client_of


class ClientTableTests(SynchronousTestCase):
    """Members come with heartbeats, and go in three ways; the others are notified."""

    def setUp(self) -> None:
        """Make an empty table that notes whom it would tell."""
        self.clock = Clock()
        self.told: list[tuple[str, int]] = []
        self.clients = ClientTable(
            lambda group, members: self.told.append((group, len(members)))
        )
        self.one, self.two = MemoryConnection("h:1"), MemoryConnection("h:2")

    def join(
        self,
        connection: MemoryConnection,
        *subscriptions: Subscription,
        client_id: str = "c",
        model: MessageModel = MessageModel.CLUSTERING,
    ) -> bool:
        """Send a heartbeat for the group CG."""
        return self.clients.register_consumer(
            "CG",
            client_of(connection, self.clock.seconds(), client_id=client_id),
            consume_type=ConsumeType.CONSUME_PASSIVELY,
            message_model=model,
            consume_from=ConsumeFrom.CONSUME_FROM_LAST_OFFSET,
            subscriptions=subscriptions or (parse("T", "*", 1),),
        )

    def test_joining_tells_all_members(self) -> None:
        """Each new connection is a reason to rebalance; a second heartbeat is not."""
        self.assertTrue(self.join(self.one))
        self.assertTrue(self.join(self.two))
        self.assertFalse(self.join(self.two))
        self.assertEqual(self.told, [("CG", 1), ("CG", 2)])

    def test_joining_costs_no_copy_of_the_members(self) -> None:
        """Who is notified is looked up when that happens."""
        given: list[Collection[Any]] = []
        clients = ClientTable(lambda group, members: given.append(members))
        self.clients = clients
        self.join(self.one)
        self.join(self.two)
        self.assertEqual([list(each) for each in given], [[self.one, self.two]] * 2)

    def test_equal_client_ids_are_listed_once(self) -> None:
        """No queues are assigned to the half-open connection of a client."""
        self.join(self.one)
        self.join(self.two)
        self.assertEqual(self.clients.client_ids("CG"), ["c"])
        self.clients.connection_lost(self.one)
        self.assertEqual(self.clients.client_ids("CG"), ["c"])

    def test_broadcasting_members_are_not_notified(self) -> None:
        """Who gets all messages need not know the others."""
        self.join(self.one, model=MessageModel.BROADCASTING)
        self.assertEqual(self.told, [])

    def test_larger_version_of_a_subscription_wins(self) -> None:
        """An older heartbeat of another member does not undo a newer one."""
        self.join(self.one, parse("T", "A", 5))
        self.join(self.two, parse("T", "B", 4))
        found = self.clients.subscription("CG", "T")
        self.assertEqual(found, parse("T", "A", 5))
        self.join(self.two, parse("T", "B", 6))
        found = self.clients.subscription("CG", "T")
        self.assertEqual(found, parse("T", "B", 6))

    def test_topics_missing_from_a_heartbeat_are_dropped(self) -> None:
        """The newest heartbeat says what the group reads; members learn of changes."""
        self.join(self.one, parse("T", "*", 1), parse("U", "*", 1))
        self.assertTrue(self.join(self.one, parse("U", "*", 1)))
        self.assertIsNone(self.clients.subscription("CG", "T"))
        self.assertEqual(self.told, [("CG", 1), ("CG", 1)])

    def test_leaving_tells_the_others(self) -> None:
        """A group is notified of who left, and is gone with its last member."""
        self.join(self.one)
        self.join(self.two)
        del self.told[:]
        self.clients.unregister_consumer("CG", self.one)
        self.clients.unregister_consumer("CG", self.two)
        self.clients.unregister_consumer("CG", self.two)
        self.assertEqual(self.told, [("CG", 1)])
        self.assertIsNone(self.clients.consumer_group("CG"))

    def test_lost_connection_leaves_all_groups(self) -> None:
        """What a connection was a member of, it is a member of no more."""
        self.join(self.one)
        self.join(self.two)
        self.clients.register_producer("PG", client_of(self.one))
        self.clients.connection_lost(self.one)
        self.assertEqual(self.clients.client_ids("CG"), ["c"])
        self.assertEqual(self.clients.producers("PG"), [])
        self.assertEqual(self.told[-1], ("CG", 1))

    def test_silent_clients_are_dropped(self) -> None:
        """After more than 120 s without a heartbeat a client is gone, and closed."""
        self.join(self.one)
        self.clock.advance(CLIENT_LIFE)
        self.join(self.two)
        self.clients.expire(self.clock.seconds())
        self.assertFalse(self.one.closed)
        self.clock.advance(1)
        self.clients.expire(self.clock.seconds())
        self.assertTrue(self.one.closed)
        self.assertFalse(self.two.closed)
        self.assertEqual(self.clients.client_ids("CG"), ["c"])

    def test_producers_are_kept_by_group(self) -> None:
        """A producer is listed until it leaves; empty groups are not."""
        self.clients.register_producer("PG", client_of(self.one, language="GO"))
        (producer,) = self.clients.producers("PG")
        self.assertEqual((producer.client_id, producer.language), ("client", "GO"))
        self.clients.unregister_producer("PG", self.one)
        self.assertEqual(self.clients.producers("PG"), [])


class MemberNotifierTests(SynchronousTestCase):
    """Members are notified once an iteration, if their group wants it."""

    def setUp(self) -> None:
        """Make a notifier and a connection."""
        self.clock = Clock()
        self.groups = GroupTable(MemoryFile(), clock=self.clock)
        self.notifier = MemberNotifier(self.clock, self.groups)
        self.connection = MemoryConnection()

    def test_tells_once(self) -> None:
        """Two changes of one iteration are one request, at its end."""
        self.notifier("CG", [])
        self.notifier("CG", [self.connection])
        self.assertEqual(self.connection.told, [])
        self.clock.advance(0)
        (request,) = self.connection.told
        self.assertEqual(request.consumer_group, "CG")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_large_groups(self) -> None:
        """An iteration notifies some; what changes meanwhile is one more round."""
        members = [MemoryConnection() for _ in range(2 * NOTIFIED_AT_ONCE + 1)]
        self.notifier("CG", members)

        def told() -> int:
            return sum(len(each.told) for each in members)

        self.iterate()
        self.assertEqual(told(), NOTIFIED_AT_ONCE)
        for _ in range(5):
            self.notifier("CG", members)
        self.notifier("other", [self.connection])
        for count in (2, 3, 4):
            self.iterate()
            self.assertEqual(told(), count * NOTIFIED_AT_ONCE)
        self.clock.advance(0)
        self.assertEqual({len(each.told) for each in members}, {2})
        self.assertEqual(len(self.connection.told), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def iterate(self) -> None:
        """Run what is scheduled for the next iteration of the reactor, and no more."""
        (call,) = self.clock.getDelayedCalls()
        function = call.func
        call.cancel()
        function()

    def test_groups_may_want_to_hear_nothing(self) -> None:
        """A group whose setting says so is not told."""
        self.groups.put(
            SubscriptionGroup("CG", notify_consumer_ids_changed_enable=False)
        )
        self.notifier("CG", [self.connection])
        self.clock.advance(0)
        self.assertEqual(self.connection.told, [])
