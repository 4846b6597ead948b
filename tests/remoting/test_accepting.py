"""How many connections a port accepts in one reactor iteration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.accepting import AT_ONCE, accept_in_turn

ADDRESS = IPv4Address("TCP", "10.0.0.9", 1)


class Counting(Factory):
    """A factory that counts, and refuses every second client."""

    def __init__(self) -> None:
        self.built = 0

    def buildProtocol(self, addr: Any) -> Protocol | None:
        """Return a protocol, or refuse."""
        self.built += 1
        return Protocol() if self.built % 2 else None


def read(port: Any, waiting: int) -> int:
    """Accept as a port of Twisted does; return how many were accepted."""
    accepted = 0
    for _ in range(min(port.numberAccepts, waiting)):
        accepted += 1
        port.factory.buildProtocol(ADDRESS)
    if accepted == port.numberAccepts:
        port.numberAccepts += 20
    else:
        port.numberAccepts = max(1, accepted)
    return accepted


class PacedAcceptsTests(SynchronousTestCase):
    """A port that grows as those of Twisted do."""

    def test_limit(self) -> None:
        """However many wait, an iteration accepts a limited number of them."""
        factory = Counting()
        port = SimpleNamespace(factory=factory, numberAccepts=100)
        accept_in_turn(port)
        accepted = [read(port, 9000) for _ in range(50)]
        self.assertEqual(max(accepted), AT_ONCE + 20)
        self.assertEqual(factory.built, sum(accepted))

    def test_grows_again(self) -> None:
        """After a pause it accepts as many as before, soon."""
        port = SimpleNamespace(factory=Counting(), numberAccepts=100)
        accept_in_turn(port)
        read(port, 1)
        self.assertEqual([read(port, 9000) for _ in range(6)], [1, 21, 41, 41, 41, 41])

    def test_factory(self) -> None:
        """Its own factory starts and stops with the port."""
        factory = Counting()
        port = SimpleNamespace(factory=factory, numberAccepts=100)
        accept_in_turn(port)
        port.factory.doStart()
        self.assertEqual(factory.numPorts, 1)
        port.factory.doStop()
        self.assertEqual(factory.numPorts, 0)

    def test_other_ports(self) -> None:
        """A port that accepts in another way keeps its factory."""
        factory = Counting()
        port = SimpleNamespace(factory=factory)
        accept_in_turn(port)
        self.assertIs(port.factory, factory)
