"""Brokers, one by one."""

from __future__ import annotations

from rocketmq_tw.admin import NotFound, RefusedByAll
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import UpdateBrokerConfig
from tests.admin.cases import AdminCase


class BrokerTests(AdminCase):
    """Settings, statistics and replication."""

    def test_config(self) -> None:
        """Settings are those of the broker, by name or address."""
        for name in ("broker-a", "10.0.1.1:10911"):
            settings = self.run_admin(self.admin.brokers.config(name))
            [values] = settings.values.values()
            self.assertEqual(values["brokerName"], "broker-a")
        text = self.failure(self.admin.brokers.config("nobody"), NotFound)
        self.assertIn("there are: broker-a, broker-b", text)

    def test_set_config(self) -> None:
        """What cannot be changed is refused; what can be is sent to the broker."""
        change = self.admin.brokers.set_config("broker-a", {"listenPort": "1"})
        self.assertIn("listenPort", self.failure(change, RefusedByAll))
        done = self.run_admin(
            self.admin.brokers.set_config("broker-a", {"fileReservedTime": "48"})
        )
        self.assertEqual(done.done, ("10.0.1.1:10911",))
        request = self.cluster.broker.traffic.requests(UpdateBrokerConfig)[-1]
        self.assertEqual(request.body, b"fileReservedTime=48\n")

    def test_set_unknown(self) -> None:
        """What no broker knows is not sent, for others would accept and ignore it."""
        values = {"fileReservedTime": "48", "fileReserveTime": "48"}
        change = self.admin.brokers.set_config("broker-a", values)
        self.assertIn(
            'there is no setting "fileReserveTime": nothing is changed. Did you mean'
            " fileReservedTime?",
            self.failure(change, NotFound),
        )
        self.assertEqual(self.cluster.broker.traffic.requests(UpdateBrokerConfig), [])

    def test_set_and_ignored(self) -> None:
        """A broker that says that it has changed what it has not is found out."""
        self.cluster.broker.traffic.respond(UpdateBrokerConfig, Response())
        values = {"fileReservedTime": "many"}
        change = self.admin.brokers.set_config("broker-a", values)
        text = self.failure(change, RefusedByAll)
        self.assertIn('fileReservedTime is "72" still', text)

    def test_runtime(self) -> None:
        """All statistics are there, sorted."""
        said = self.run_admin(self.admin.brokers.runtime("broker-b"))
        self.assertEqual(said.broker, "broker-b")
        self.assertIn("bootTimestamp", said.values)
        self.assertEqual(list(said.values), sorted(said.values))

    def test_writes(self) -> None:
        """A broker is taken out of the routes of producers, and back in."""
        self.cluster.create_topic("orders", 1)
        done = self.run_admin(self.admin.brokers.forbid_writes("broker-a"))
        self.assertEqual(len(done.done), 1)
        route = self.run_admin(self.admin.topics.route("orders"))
        self.assertEqual(
            [q.broker_name for q in route.writable("orders")], ["broker-b"]
        )
        self.run_admin(self.admin.brokers.allow_writes("broker-a"))
        route = self.run_admin(self.admin.topics.route("orders"))
        self.assertEqual(len(route.writable("orders")), 2)
        self.failure(self.admin.brokers.forbid_writes("nobody"), NotFound)

    def test_writes_by_address(self) -> None:
        """An address names the broker, too; name servers know its name only."""
        self.cluster.create_topic("orders", 1)
        self.run_admin(self.admin.brokers.forbid_writes("10.0.1.1:10911"))
        route = self.run_admin(self.admin.topics.route("orders"))
        self.assertEqual(
            [q.broker_name for q in route.writable("orders")], ["broker-b"]
        )
        self.run_admin(self.admin.brokers.allow_writes("10.0.1.1:10911"))
        route = self.run_admin(self.admin.topics.route("orders"))
        self.assertEqual(len(route.writable("orders")), 2)


class ReplicationTests(AdminCase):
    """Masters and slaves, with files."""

    brokers = 1
    on_disk = True

    def test_replication(self) -> None:
        """A master lists its slaves, a slave its master."""
        self.cluster.create_topic("orders", 1)
        slave = self.cluster.add_slave("broker-a")
        slave.start()
        self.send("orders", b"x", b"y")
        self.cluster.advance(20)
        found = self.run_admin(self.admin.brokers.replication("broker-a"))
        self.assertTrue(found.is_master)
        self.assertEqual([each.in_sync for each in found.slaves], [True])
        found = self.run_admin(self.admin.brokers.replication(slave.address))
        self.assertEqual((found.is_master, found.slaves), (False, ()))
