"""Tests of :mod:`rocketmq_tw.remoting.admission`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.admission import Admission


class Peer:
    """
    A connection.

    :ivar looks: how often it was looked at for whether it is used.
    """

    def __init__(self, used: bool = True) -> None:
        self.used = used
        self.looks = 0
        self.closed = False

    @property
    def has_requested(self) -> bool:
        """Whether it is used."""
        self.looks += 1
        return self.used

    def cut(self, why: str) -> None:
        """Close."""
        self.closed = True


class AdmissionTests(SynchronousTestCase):
    """Connections that are used stay; past a limit new ones are refused."""

    def test_in_all(self) -> None:
        """Past the limit the reason names the setting; a place that is freed counts."""
        admission = Admission(2, 2)
        one, two = Peer(), Peer()
        self.assertIsNone(admission.admit(one, "10.0.0.1"))
        self.assertIsNone(admission.admit(two, "10.0.0.2"))
        reason = admission.admit(Peer(), "10.0.0.3")
        self.assertIn("maxConnections", reason or "")
        self.assertEqual((admission.count, admission.refused), (2, 1))
        admission.release(one)
        self.assertIsNone(admission.admit(Peer(), "10.0.0.3"))

    def test_one_address(self) -> None:
        """One address takes no more than half; others are still let in."""
        admission = Admission(10)
        reasons = [admission.admit(Peer(), "10.0.0.1") for _ in range(6)]
        self.assertEqual(reasons[:5], [None] * 5)
        self.assertIn("maxConnectionsPerAddress", reasons[5] or "")
        self.assertIsNone(admission.admit(Peer(), "10.0.0.2"))

    def test_no_address(self) -> None:
        """Connections over UNIX sockets have no address; their sum is limited."""
        admission = Admission(3)
        self.assertEqual([admission.admit(Peer(), "") for _ in range(3)], [None] * 3)
        self.assertIsNotNone(admission.admit(Peer(), ""))

    def test_unlimited(self) -> None:
        """Without a limit everybody is let in, and nothing is left of who went."""
        admission = Admission()
        peers = [Peer() for _ in range(1000)]
        for peer in peers:
            self.assertIsNone(admission.admit(peer, "10.0.0.1"))
        for peer in peers:
            admission.release(peer)
        self.assertEqual(admission.count, 0)
        self.assertEqual(sum(peer.looks for peer in peers), 0)


class UnusedTests(SynchronousTestCase):
    """Connections that have sent nothing give way."""

    def test_of_one_address(self) -> None:
        """The oldest unused connection of the address goes, not one of another."""
        admission = Admission(10, 3)
        other, used, idle, idle_too = Peer(False), Peer(), Peer(False), Peer(False)
        admission.admit(other, "10.0.0.2")
        for peer in (used, idle, idle_too):
            admission.admit(peer, "10.0.0.1")
        self.assertIsNone(admission.admit(Peer(), "10.0.0.1"))
        self.assertEqual(
            [peer.closed for peer in (other, used, idle, idle_too)],
            [False, False, True, False],
        )
        self.assertEqual((admission.count, admission.displaced), (4, 1))

    def test_in_all(self) -> None:
        """Where all places are taken, the oldest unused one of anybody goes."""
        admission = Admission(3, 3)
        used, idle, idle_too = Peer(), Peer(False), Peer(False)
        for number, peer in enumerate((used, idle, idle_too)):
            admission.admit(peer, f"10.0.0.{number}")
        self.assertIsNone(admission.admit(Peer(), "10.0.0.9"))
        self.assertEqual([used.closed, idle.closed, idle_too.closed], [0, 1, 0])

    def test_gone_later(self) -> None:
        """When the closed connection is gone it is not counted down once more."""
        admission = Admission(1, 1)
        idle = Peer(False)
        admission.admit(idle, "10.0.0.1")
        admission.admit(Peer(), "10.0.0.1")
        admission.release(idle)
        self.assertEqual(admission.count, 1)
        self.assertIsNotNone(admission.admit(Peer(), "10.0.0.1"))

    def test_work(self) -> None:
        """A flood looks at each connection at most once, used or not."""
        admission = Admission(2000, 1000)
        peers = [Peer(used=number % 2 == 0) for number in range(5000)]
        for peer in peers:
            admission.admit(peer, "10.0.0.1")
        self.assertEqual(max(peer.looks for peer in peers), 1)
        self.assertEqual(admission.count, 1000)
