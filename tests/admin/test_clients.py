"""The connected clients."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin import NotFound
from rocketmq_tw.admin.clients import _Clients
from rocketmq_tw.client import EARLIEST
from rocketmq_tw.wire.bodies.consumers import (
    Connection,
    ConsumerConnection,
    ProducerConnection,
    ProducerInfo,
    ProducerTableInfo,
)
from rocketmq_tw.wire.bodies.cut import STEP
from tests.admin.cases import AdminCase


class ManyClientsTests(SynchronousTestCase):
    """Thousands of clients are put together in steps."""

    def test_producers(self) -> None:
        """No step has more than some, be they in one group or in a thousand."""
        for groups in (1, 1000):
            infos = {
                f"g{g}": tuple(
                    ProducerInfo(f"c{g}-{n}", "/10.0.0.1:5", "JAVA", 460, 1)
                    for n in range(3000 // groups)
                )
                for g in range(groups)
            }
            found = _Clients()
            body = ProducerTableInfo(infos).encode()
            self.assertGreater(len(list(found.add_producers("a", body))), 29)
            self.assertGreater(len(list(found.all_in_steps())), 29)
            self.assertEqual(len(found.all()), 3000)

    def test_one_group(self) -> None:
        """A group of 20,000 producers is decoded in steps of some hundreds."""
        infos = tuple(
            ProducerInfo(f"c{n}", "/10.0.0.1:5", "JAVA", 460, 1) for n in range(20_000)
        )
        body = ProducerTableInfo({"g": infos}).encode()
        steps = _Clients().add_producers("a", body)
        self.assertGreater(len(list(steps)), 200 + len(body) // STEP - 1)

    def test_connections(self) -> None:
        """So is the response to who is in one group of producers."""
        many = tuple(Connection(f"c{n}", "10.0.0.1:5") for n in range(20_000))
        body = ProducerConnection(many).encode()
        found = _Clients()
        steps = found.add_connections("a", "g", body)
        self.assertGreater(len(list(steps)), 200 + len(body) // STEP - 1)
        self.assertEqual(len(found.all()), 20_000)

    def test_members(self) -> None:
        """A group may have thousands of members."""
        connections = (Connection(f"c{n}", "10.0.0.1:5") for n in range(3000))
        connected = ConsumerConnection(tuple(connections))
        found = _Clients()
        self.assertGreater(len(list(found.add_members("g", {"a": connected}))), 29)
        self.assertEqual(len(found.all()), 3000)


class ClientTests(AdminCase):
    """Producers and consumers together."""

    def setUp(self) -> None:
        """Let a producer and a consumer register."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"x", b"y")
        self.seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.advance(31)

    def test_list(self) -> None:
        """Each client is listed once, with its groups."""
        found = self.run_admin(self.admin.clients.list())
        roles = {c.client_id: (c.produces, c.consumes) for c in found.clients}
        producer, consumer = self.cluster.clients
        self.assertIn("producers", roles[producer.client_id][0])
        self.assertEqual(roles[consumer.client_id][1], ("billing",))
        self.assertEqual(found.clients[0].brokers, ("broker-a", "broker-b"))
        self.assertEqual(found.failed, {})

    def test_many_groups(self) -> None:
        """A broker that is away is waited for a few times, and not by each group."""
        for number in range(40):
            self.run_admin(self.admin.groups.create(f"group-{number}"))
        self.unreachable("broker-b")
        began = self.cluster.clock.seconds()
        found = self.run_admin(self.admin.clients.list())
        self.assertLess(self.cluster.clock.seconds() - began, 15)
        self.assertEqual(list(found.failed), ["broker-b"])
        consumer = self.cluster.clients[-1].client_id
        roles = {each.client_id: each.consumes for each in found.clients}
        self.assertEqual(roles[consumer], ("billing",))

    def test_get(self) -> None:
        """A consumer says what it does."""
        client = self.cluster.clients[-1].client_id
        info = self.run_admin(self.admin.clients.get("billing", client))
        self.assertEqual(info.client_id, client)
        queues = {(q.topic, q.committed) for q in info.queues if q.topic == "orders"}
        self.assertEqual(queues, {("orders", 1)})
        self.assertIn("orders", [each.topic for each in info.subscriptions])
        self.assertIn("orders", [each.topic for each in info.topics])
        self.assertIsNotNone(info.started)

    def test_unknown(self) -> None:
        """Neither an unknown client nor an unknown group responds."""
        text = self.failure(self.admin.clients.get("billing", "nobody"), NotFound)
        self.assertEqual(text, 'there is no client "nobody" in the group "billing"')
        self.failure(self.admin.clients.get("nobody", "x"), NotFound)
