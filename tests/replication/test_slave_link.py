"""A master's end of a connection: what it takes, and what it sends."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.replication.frames import TransferDecoder, encode_report
from rocketmq_tw.replication.slave_link import PIECE, LinkSettings, SlaveLink
from tests.replication.pair import Lines


class FakeSource:
    """A log of the bytes 0 to 250, again and again, from 1000 on."""

    file_size = 1000

    def __init__(self, end: int) -> None:
        self.min_offset = 1000
        self.end = end
        self.read_bytes = 0
        self.is_cold = False
        self.waiting: list[tuple[Deferred[bytes], bytes]] = []
        self.is_deleted = False

    def bytes_at(self, position: int, size: int) -> bytes:
        """Return bytes of the log."""
        return bytes((position + at) % 251 for at in range(size))

    def read(self, position: int, size: int) -> bytes | Deferred[bytes]:
        """Read to the end of a file."""
        size = min(size, self.end - position, 1000 - position % 1000)
        data = b"" if self.is_deleted else self.bytes_at(position, size)
        self.read_bytes += len(data)
        if not self.is_cold:
            return data
        done: Deferred[bytes] = Deferred()
        self.waiting.append((done, data))
        return done

    def call_at_next(self, function: Any) -> None:
        """Nobody waits here."""

    def cancel(self, function: Any) -> None:
        """Nobody waits here."""


class SlaveLinkCase(SynchronousTestCase):
    """One connection."""

    def setUp(self) -> None:
        """Connect to a master whose log ends at 5,500."""
        self.clock = Clock()
        self.clock.advance(100)
        self.source = FakeSource(5500)
        self.closed, self.reports, self.lost = list[str](), list[int](), list[int]()
        self.link, self.transport = self.connect()

    def connect(self, **settings: Any) -> tuple[SlaveLink, Any]:
        """Make a connection."""
        link = SlaveLink(
            source=self.source,
            clock=self.clock,
            settings=LinkSettings(**settings),
            address="10.0.0.2:1",
            on_report=lambda link: self.reports.append(link.acked),
            on_lost=lambda link: self.lost.append(1),
            peers=Lines(self.closed),
        )
        transport: Any = StringTransport()
        transport.setTcpKeepAlive = transport.setTcpNoDelay = lambda enabled: None
        link.makeConnection(transport)
        return link, transport

    def sent(self, transport: Any = None) -> list[tuple[int, bytes]]:
        """Return what was sent since the last call."""
        transport = transport or self.transport
        data = transport.value()
        transport.clear()
        return [(at, bytes(piece)) for at, piece in TransferDecoder().feed(data)]


class ReportTests(SlaveLinkCase):
    """What a slave may report."""

    def test_from_there(self) -> None:
        """The first report decides where the master begins."""
        self.link.pump()
        self.assertEqual(self.sent(), [])
        self.link.dataReceived(encode_report(4700))
        bytes_at = self.source.bytes_at
        expected = [(4700, bytes_at(4700, 300)), (5000, bytes_at(5000, 500))]
        self.assertEqual(self.sent(), expected)
        self.assertEqual((self.link.acked, self.link.next), (4700, 5500))
        self.link.dataReceived(encode_report(5500))
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.reports, [4700, 5500])

    def test_nothing(self) -> None:
        """A slave without messages gets the last file."""
        self.link.dataReceived(encode_report(0))
        self.assertEqual(self.sent(), [(5000, self.source.bytes_at(5000, 500))])

    def test_longer_than_the_log(self) -> None:
        """The slave has what the master lacks."""
        self.link.dataReceived(encode_report(5501))
        self.assertIn("ends at 5501, ours at 5500", self.closed[0])
        self.assertTrue(self.transport.disconnected)
        self.assertEqual((self.sent(), self.reports), ([], []))

    def test_acks_too_much(self) -> None:
        """Nothing is acknowledged that is not in the log."""
        self.link.dataReceived(encode_report(5500))
        self.link.dataReceived(encode_report(1 << 40))
        self.assertEqual((len(self.closed), self.reports), (1, [5500]))

    def test_deleted(self) -> None:
        """What it needs next is gone."""
        self.link.dataReceived(encode_report(999))
        self.assertIn("ours begins at 1000", self.closed[0])

    def test_backwards(self) -> None:
        """A log does not become shorter."""
        self.link.dataReceived(encode_report(5000))
        self.link.dataReceived(encode_report(4999))
        self.assertEqual(self.closed, ["the slave reports 4999 after 5000"])

    def test_garbage(self) -> None:
        """One line, however much comes."""
        for _ in range(50):
            self.link.dataReceived(b"\xff" * 1000)
        self.assertEqual(len(self.closed), 1)
        self.assertTrue(self.transport.disconnected)
        self.assertFalse(self.link.is_followed)


class SendTests(SlaveLinkCase):
    """What leaves, and when."""

    def test_batches(self) -> None:
        """No transfer is larger than the limit."""
        link, transport = self.connect(batch_size=200)
        link.dataReceived(encode_report(5000))
        self.assertEqual(
            [len(data) for _, data in self.sent(transport)], [200, 200, 100]
        )

    def test_slow_slave(self) -> None:
        """What does not leave is not read: no memory grows."""
        self.link.dataReceived(encode_report(5500))
        self.link.pauseProducing()
        self.source.end += 100 * PIECE
        for _ in range(10):
            self.link.pump()
        self.assertEqual(self.source.read_bytes, 0)
        self.link.resumeProducing()
        self.assertGreater(self.source.read_bytes, 0)

    def test_cold(self) -> None:
        """While a piece is read in a thread nothing else is."""
        self.source.is_cold = True
        self.link.dataReceived(encode_report(5100))
        self.link.pump()
        self.assertEqual((len(self.source.waiting), self.sent()), (1, []))
        done, data = self.source.waiting.pop()
        done.callback(data)
        self.assertEqual(self.sent(), [(5100, self.source.bytes_at(5100, 400))])

    def test_lost_meanwhile(self) -> None:
        """What is read for a lost connection is dropped."""
        self.source.is_cold = True
        self.link.dataReceived(encode_report(5100))
        self.link.connectionLost()
        done, data = self.source.waiting.pop()
        done.callback(data)
        self.assertEqual((self.sent(), self.lost), ([], [1]))

    def test_file_deleted(self) -> None:
        """The slave has to copy everything again."""
        self.source.is_deleted = True
        self.link.dataReceived(encode_report(5100))
        self.assertIn("offset 5100 of the commit log is deleted", self.closed[0])

    def test_read_fails(self) -> None:
        """The connection is closed; the slave comes again."""
        self.source.is_cold = True
        self.link.dataReceived(encode_report(5100))
        self.source.waiting[0][0].errback(OSError("broken"))
        self.assertEqual(self.closed, ["the commit log was not read: broken"])

    def test_broken_disk(self) -> None:
        """The same, where the page cache fails."""

        def fail(position: int, size: int) -> bytes:
            raise OSError("broken")

        self.source.read = fail  # type: ignore[method-assign]
        self.link.dataReceived(encode_report(5100))
        self.assertEqual(self.closed, ["the commit log was not read: broken"])

    def test_flow_control(self) -> None:
        """So many bytes a second, and the rest in the next ones."""
        link, transport = self.connect(bytes_per_second=200)
        link.dataReceived(encode_report(5000))
        sizes = [sum(len(data) for _, data in self.sent(transport))]
        for _ in range(3):
            self.clock.advance(1)
            sizes.append(sum(len(data) for _, data in self.sent(transport)))
        self.assertEqual(sizes, [200, 200, 100, 0])
        self.assertEqual(link.status().bytes_per_second, 100)

    def test_heartbeat(self) -> None:
        """When nothing else was sent for a while; it says what comes next."""
        self.link.dataReceived(encode_report(5500))
        for _ in range(4):
            self.clock.advance(1.3)
            self.link.tick()
        self.assertEqual(self.sent(), [(5500, b"")])

    def test_silence(self) -> None:
        """Who reports nothing is closed, whether it ever did or not."""
        self.clock.advance(21)
        self.link.tick()
        self.assertIn("reported nothing for 20 s", self.closed[0])
        self.assertEqual(self.sent(), [])


class StatusTests(SlaveLinkCase):
    """What operators are shown."""

    def test_in_sync(self) -> None:
        """As long as the slave lacks less than the gap."""
        link, _ = self.connect(max_gap=400)
        self.assertFalse(link.is_in_sync)
        link.dataReceived(encode_report(5000))
        self.assertFalse(link.is_in_sync)
        link.dataReceived(encode_report(5200))
        status = link.status()
        self.assertTrue(status.is_in_sync)
        found = (status.ack_offset, status.behind, status.position)
        self.assertEqual(found, (5200, 300, 5500))
