"""Tests of requests of administrators from other machines."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.addresses import peer_address
from rocketmq_tw.remoting.local_administration import is_local


class _Peer:
    """A peer that connects from one address to another."""

    def __init__(self, there: IAddress, here: IAddress) -> None:
        self.transport = StringTransport(hostAddress=here, peerAddress=there)
        self.address, _ = peer_address(there)


def tcp(host: str, port: int = 4000) -> IAddress:
    """Return an address of either kind."""
    kind = IPv6Address if ":" in host else IPv4Address
    return kind("TCP", host, port)


class LocalTests(SynchronousTestCase):
    """Which peers are on this machine."""

    def test_is_local(self) -> None:
        """Addresses of the loopback and sockets of files, nothing that looks alike."""
        for there, expected in (
            (tcp("127.0.0.1"), True),
            (tcp("127.9.9.9"), True),
            (tcp("::1"), True),
            (tcp("::ffff:127.0.0.1"), True),
            (UNIXAddress("/run/mq"), True),
            (tcp("10.0.0.1"), False),
            (tcp("::2"), False),
            (tcp("::1:1"), False),
        ):
            peer = _Peer(there, tcp("10.0.0.9", 10911))
            self.assertIs(is_local(peer), expected, there)

    def test_own_address(self) -> None:
        """Who connects from the address to which it connects is here as well."""
        for host, other in (("10.0.0.9", "10.0.0.99"), ("2001:db8::9", "2001:db8::99")):
            here = tcp(host, 10911)
            self.assertTrue(is_local(_Peer(tcp(host), here)))
            self.assertFalse(is_local(_Peer(tcp(other), here)))

    def test_unknown(self) -> None:
        """Ends without hosts say nothing."""
        unknown = IPv4Address("TCP", "", 0)
        self.assertFalse(is_local(_Peer(unknown, unknown)))
