"""A master and the connections of its slaves."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address

from rocketmq_tw.replication.frames import encode_report
from rocketmq_tw.testing.link import Link
from tests.replication.pair import HA, PairCase


class MasterTests(PairCase):
    """Many slaves."""

    def peer(self, port: int = 1, host: str = "10.0.0.9") -> Link:
        """Connect a peer that a test speaks for."""
        link = Link(self.clock, f"{host}:{port}", HA)
        server = self.master.factory.buildProtocol(link.near.getHost())
        assert server is not None
        link.far.attach(server)
        return link

    def test_addresses(self) -> None:
        """They are shown as ``host:port``."""
        made = self.master.factory.buildProtocol
        found = (
            made(IPv4Address("TCP", "10.0.0.2", 5)),
            made(IPv6Address("TCP", "::1", 5)),
        )
        addresses = [each.address for each in found if each is not None]
        self.assertEqual(addresses, ["10.0.0.2:5", "[::1]:5"])

    def test_one_too_many(self) -> None:
        """It is closed; the others stay."""
        for port in range(8):
            self.peer(port, f"10.0.1.{port}")
        refused = self.master.factory.buildProtocol(IPv4Address("TCP", "h", 1))
        self.assertIsNone(refused)
        self.assertEqual(self.master.refused, 1)
        self.assertIn("as many as maxHaConnections lets", self.complaints[0])

    def test_one_address(self) -> None:
        """One host takes only some of the connections; others may connect."""
        for port in range(5):
            self.peer(port)
        made = self.master.factory.buildProtocol
        self.assertIsNone(made(IPv4Address("TCP", "10.0.0.9", 7)))
        self.assertEqual(self.master.refused, 1)
        self.assertIn("maxHaConnectionsPerAddress lets", self.complaints[0])
        self.assertIsNotNone(made(IPv4Address("TCP", "10.0.0.8", 7)))

    def test_acked_by(self) -> None:
        """The offset that so many slaves have reached."""
        self.send(5)
        for port, offset in enumerate((100, 300, 200)):
            self.peer(port).near.write(encode_report(offset))
        self.turn()
        found = [self.master.acked_by(count) for count in (1, 2, 3, 4)]
        self.assertEqual(found, [300, 200, 100, -1])

    def test_status(self) -> None:
        """Those that have reported are shown."""
        self.send(2)
        self.peer(1)
        self.peer(2).near.write(encode_report(0))
        self.turn()
        status = self.master.status()
        self.assertTrue(status.is_master)
        self.assertEqual([each.address for each in status.slaves], ["10.0.0.9:2"])
        self.assertEqual(status.in_sync_slaves, 1)

    def test_nothing_is_scheduled_when_idle(self) -> None:
        """With slaves that have everything, only the timer of one second runs."""
        self.slave(self.open_slave())
        self.turn(1)
        self.send(3)
        self.turn(1)
        calls = [call.getTime() for call in self.clock.getDelayedCalls()]
        soon = [time for time in calls if time < self.clock.seconds() + 0.1]
        self.assertEqual(soon, [])

    def test_transfers_are_gathered(self) -> None:
        """While messages come, one transfer holds those of 10 ms."""
        link = self.peer()
        link.near.write(encode_report(0))
        self.turn()
        count = 0

        def inspect(data: bytes) -> bytes:
            nonlocal count
            count += 1
            return data

        from twisted.internet.protocol import Protocol

        link.near.attach(Protocol())
        link.near.inspect = inspect
        for _ in range(100):
            self.send(1)
            self.clock.advance(0.0005)
        self.assertLess(count, 12)
        self.assertGreater(count, 3)

    def test_stopped(self) -> None:
        """All connections are closed, no call is left over."""
        link = self.peer()
        link.near.write(encode_report(0))
        self.turn()
        self.master.stopService()
        self.send(1)
        self.turn()
        self.assertFalse(link.far.is_connected)
        self.assertEqual(self.master.links, [])
        self.assertIsNone(self.master.factory.buildProtocol(None))
