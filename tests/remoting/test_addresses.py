"""Addresses as the wire and as people write them."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.addresses import (
    client_endpoint,
    is_endpoint,
    peer_address,
    server_endpoint,
    split_host_port,
)


class HostPortTests(SynchronousTestCase):
    """``host:port``."""

    def test_split(self) -> None:
        """Names, IPv4 and bracketed IPv6 addresses are taken apart."""
        for address, parts in (
            ("10.0.0.1:10911", ("10.0.0.1", 10911)),
            (" mq.example.org:9876 ", ("mq.example.org", 9876)),
            ("[::1]:10911", ("::1", 10911)),
        ):
            self.assertEqual(split_host_port(address), parts)

    def test_wrong(self) -> None:
        """What is no ``host:port`` is shown in the error."""
        for address in ("", "host", ":9876", "host:", "host:x", "host:0", "host:65536"):
            error = self.assertRaises(ValueError, split_host_port, address)
            self.assertIn(f'"{address}"', str(error))


class PeerTests(SynchronousTestCase):
    """The other end of a connection."""

    def test_ipv4(self) -> None:
        """Four bytes of address, four of port."""
        self.assertEqual(
            peer_address(IPv4Address("TCP", "1.2.3.4", 5)),
            ("1.2.3.4:5", b"\1\2\3\4\0\0\0\5"),
        )

    def test_ipv6(self) -> None:
        """Sixteen bytes of address, its zone left out."""
        shown, packed = peer_address(IPv6Address("TCP", "fe80::1%eth0", 5))
        self.assertEqual(shown, "[fe80::1%eth0]:5")
        self.assertEqual(packed, b"\xfe\x80" + bytes(13) + b"\1\0\0\0\5")

    def test_neither(self) -> None:
        """A peer without a host is written as the local one."""
        _, packed = peer_address(UNIXAddress(b"/run/mq"))
        self.assertEqual(packed, b"\x7f\0\0\1\0\0\0\0")


class EndpointTests(SynchronousTestCase):
    """Endpoint strings."""

    def test_which(self) -> None:
        """Endpoint strings are told from addresses."""
        for text in (
            "unix:/run/mq",
            "tls:host:9876",
            "tcp:host:9876",
            "tcp:host=h:port=1",
        ):
            self.assertTrue(is_endpoint(text), text)
        for text in ("localhost:9876", "10.0.0.1:9876", "[::1]:9876", "ns1:9876"):
            self.assertFalse(is_endpoint(text), text)

    def test_client(self) -> None:
        """An address becomes an endpoint by the template; a string stays."""
        self.assertEqual(client_endpoint("ns1:9876"), "tcp:ns1:9876")
        self.assertEqual(client_endpoint("[::1]:9876"), r"tcp:\:\:1:9876")
        self.assertEqual(
            client_endpoint("ns1:9876", "tls:{host}:{port}:trustRoots=/etc/ca"),
            "tls:ns1:9876:trustRoots=/etc/ca",
        )
        self.assertEqual(client_endpoint("unix:/run/mq"), "unix:/run/mq")

    def test_server(self) -> None:
        """A port, an address or a string says where to listen."""
        for text, endpoint in (
            ("9876", "tcp:9876"),
            (" 0 ", "tcp:0"),
            ("127.0.0.1:9876", "tcp:9876:interface=127.0.0.1"),
            ("[::1]:9876", r"tcp:9876:interface=\:\:1"),
            ("tcp:9876:backlog=5", "tcp:9876:backlog=5"),
            ("unix:/run/mq", "unix:/run/mq"),
        ):
            self.assertEqual(server_endpoint(text), endpoint)

    def test_server_interface(self) -> None:
        """A bare port may be bound to one interface."""
        self.assertEqual(
            server_endpoint("9876", "127.0.0.1"), "tcp:9876:interface=127.0.0.1"
        )

    def test_server_wrong(self) -> None:
        """Anything else is refused."""
        for text in ("", "65536", "host", "host:99999", "tcp:x", "tcp:70000", "tcp6:"):
            self.assertRaises(ValueError, server_endpoint, text)
