"""How often peers are complained about."""

from __future__ import annotations

import tracemalloc

from twisted.internet.task import Clock
from twisted.logger import Logger, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.peer_log import PeerLog


class PeerLogTests(SynchronousTestCase):
    """One line a host a minute."""

    def setUp(self) -> None:
        """Make a log that remembers three hosts."""
        self.clock = Clock()
        self.peers = PeerLog(self.clock, known=3)

    def test_first(self) -> None:
        """The first complaint is logged, with the peer and the reason."""
        with capturedLogs() as events:
            self.assertTrue(self.peers.complain("10.0.0.1:5", "it shouts"))
        (event,) = events
        self.assertEqual((event["peer"], event["why"]), ("10.0.0.1:5", "it shouts"))

    def test_reason_is_made_harmless(self) -> None:
        """A peer's words neither forge a line nor speak to the terminal."""
        with capturedLogs() as events:
            self.peers.complain("10.0.0.1:5", "\x1b[2J\n" + "x" * 10_000)
        self.assertTrue(events[0]["why"].isprintable())
        self.assertLess(len(events[0]["why"]), 400)

    def test_same_host(self) -> None:
        """Another port of the host is the same peer."""
        self.peers.complain("10.0.0.1:5", "x")
        self.assertFalse(self.peers.complain("10.0.0.1:6", "x"))

    def test_after_a_minute(self) -> None:
        """A minute later it is logged again, with how many were left out."""
        for _ in range(8):
            self.peers.complain("10.0.0.1:5", "x")
        self.clock.advance(60)
        with capturedLogs() as events:
            self.peers.complain("10.0.0.1:5", "x")
        self.assertEqual(events[0]["more"], " (7 more in the last minutes)")

    def test_hosts_do_not_silence_each_other(self) -> None:
        """Each host has a line of its own."""
        for host in "123":
            self.assertTrue(self.peers.complain(f"10.0.0.{host}:5", "x"))

    def test_kinds_do_not_silence_each_other(self) -> None:
        """Each kind of line has its own minute; what is left out is counted."""
        log = Logger()
        for text in ("{n} came", "{n} went"):
            self.assertTrue(self.peers.info(log, "10.0.0.1:5", text, n=1))
            self.assertFalse(self.peers.info(log, "10.0.0.1:5", text, n=2))
        self.assertEqual(self.peers.dropped, 2)

    def test_more_hosts_than_remembered(self) -> None:
        """Past the limit new hosts wait for the minute of the oldest to end."""
        for host in "123":
            self.peers.complain(f"10.0.0.{host}:5", "x")
        self.assertFalse(self.peers.complain("10.0.0.4:5", "x"))
        self.clock.advance(60)
        self.assertTrue(self.peers.complain("10.0.0.4:5", "x"))

    def test_memory_is_bounded(self) -> None:
        """Any number of hosts takes no more memory than the known ones."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for n in range(20_000):
            self.peers.complain(f"host-{n}:5", "x")
        self.assertLess(tracemalloc.get_traced_memory()[0], 50_000)
