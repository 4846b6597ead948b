"""Addresses as the wire and as people write them."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.endpoints import clientFromString
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting import addresses
from rocketmq_tw.remoting.addresses import (
    NO_HOST,
    EndpointString,
    client_endpoint,
    dial_address,
    host_port,
    is_endpoint,
    is_loopback_endpoint,
    peer_address,
    server_endpoint,
    split_host_port,
    without_brackets,
)
from tests.wire.regex_steps import match_steps, search_steps


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
        """What is no ``host:port`` stands in the error."""
        for address in (
            "",
            "9876",
            "host",
            ":9876",
            "host:",
            "host:x",
            "host:0",
            "host:65536",
        ):
            error = self.assertRaises(ValueError, split_host_port, address)
            self.assertIn(f'"{address}"', str(error))

    def test_join(self) -> None:
        """Only IPv6 addresses stand in brackets, and lose them again."""
        self.assertEqual(host_port("10.0.0.1", 1), "10.0.0.1:1")
        self.assertEqual(host_port("::1", 1), "[::1]:1")
        for text, host in (
            ("[::1]", "::1"),
            ("::1", "::1"),
            ("[a", "[a"),
            ("a]", "a]"),
        ):
            self.assertEqual(without_brackets(text), host)


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
        text, packed = peer_address(IPv6Address("TCP", "fe80::1%eth0", 5))
        self.assertEqual(text, "[fe80::1%eth0]:5")
        self.assertEqual(packed, b"\xfe\x80" + bytes(13) + b"\1\0\0\0\5")

    def test_neither(self) -> None:
        """A peer without a host is written as the local one."""
        _, packed = peer_address(UNIXAddress(b"/run/mq"))
        self.assertEqual(packed, b"\x7f\0\0\1\0\0\0\0")

    def test_name(self) -> None:
        """So is one that is known by a name."""
        peer = peer_address(IPv4Address("TCP", "host", 5))
        self.assertEqual(peer, ("host:5", NO_HOST))


class EndpointTests(SynchronousTestCase):
    """Endpoint strings."""

    def test_which(self) -> None:
        """Endpoint strings are distinguished from addresses."""
        for text in (
            "unix:/run/mq",
            "tls:host:9876",
            "tcp:host:9876",
            "tcp:host=h:port=1",
            "tcp:host=h",
        ):
            self.assertTrue(is_endpoint(text), text)
        for text in (
            *("localhost:9876", "10.0.0.1:9876", "[::1]:9876", "ns1:9876"),
            *("[a::1]:9876", "Host:1:2", "9:1:2"),
        ):
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
            ("65535", "tcp:65535"),
            ("tcp:65535", "tcp:65535"),
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


class EndpointStringTests(SynchronousTestCase):
    """The endpoint strings of servers, taken apart."""

    def test_parts(self) -> None:
        """Arguments by position and by name, without their escapes."""
        parts = EndpointString.parse(r"tcp:9876:interface=\:\:1:backlog=5")
        self.assertEqual((parts.kind, parts.arguments), ("tcp", ("9876",)))
        self.assertEqual(parts.options, {"interface": "::1", "backlog": "5"})

    def test_round_trip(self) -> None:
        """Written again, a string is what it was."""
        for text in (
            "tcp:9876",
            r"tcp:9876:interface=\:\:1:backlog=5",
            r"unix:/run/a\:b\=c\\d:mode=660",
            "tcp6:port=9876",
        ):
            self.assertEqual(str(EndpointString.parse(text)), text)

    def test_port(self) -> None:
        """The port stands first, or has its name."""
        for text in ("tcp:9876", "tcp6:port=9876", "ssl:9876:privateKey=k"):
            self.assertEqual(EndpointString.parse(text).port, 9876)
        for text in (
            "",
            "tcp",
            "tcp:",
            "tcp:x",
            "tcp:65536",
            "unix:9876",
            "tcp:\u00b2",
        ):
            parts = EndpointString.parse(text)
            self.assertRaises(ValueError, getattr, parts, "port")

    def test_interface(self) -> None:
        """The interface has its name, or the position of its kind."""
        for text, host, single in (
            ("tcp:1", "0.0.0.0", None),
            ("tcp:1:interface=", "0.0.0.0", None),
            ("tcp:1:10.0.0.1", "10.0.0.1", "10.0.0.1"),
            (r"tcp:1:interface=\:\:1", "::1", "::1"),
            ("tcp6:1", "::", None),
            (r"tcp6:1:50:\:\:1", "::1", "::1"),
            ("ssl:1:k:c:m:10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ):
            parts = EndpointString.parse(text)
            self.assertEqual((parts.interface, parts.single_interface), (host, single))

    def test_on_interface(self) -> None:
        """Another host takes the place of the first, wherever that stood."""
        for text, changed in (
            ("tcp:1", r"tcp:1:interface=\:\:1"),
            ("tcp:1:name:5", r"tcp:1:\:\:1:5"),
            ("tcp:1:backlog=5:interface=name", r"tcp:1:backlog=5:interface=\:\:1"),
        ):
            parts = EndpointString.parse(text).on_interface("::1")
            self.assertEqual(str(parts), changed)

    def test_on_port(self) -> None:
        """Another port comes first, whether the one before had a name or not."""
        for text, changed in (
            ("tcp:1:interface=a", "tcp:2:interface=a"),
            ("tcp:interface=a:port=1", "tcp:2:interface=a"),
            ("tcp:1:a:5", "tcp:2:a:5"),
        ):
            parts = EndpointString.parse(text).on_port(2)
            self.assertEqual(str(parts), changed)

    def test_a_backslash_at_the_end(self) -> None:
        """It escapes nothing, and no character before it starts another search."""
        self.assertEqual(EndpointString.parse("tcp:a\\").arguments, ("a",))
        text = "a" * 500 + "\\"
        piece, named = addresses._PIECE.pattern, addresses._NAMED.pattern
        self.assertLess(search_steps(piece, text), 10 * len(text))
        self.assertLess(match_steps(named, text, 0), 10 * len(text))

    def test_proxied(self) -> None:
        """What a proxy stands before keeps that, until it is taken away."""
        text = r"haproxy:tcp:9876:interface=\:\:1"
        parts = EndpointString.parse(text)
        self.assertTrue(parts.is_proxied)
        self.assertEqual((parts.port, parts.interface), (9876, "::1"))
        self.assertEqual(str(parts), text)
        self.assertEqual(server_endpoint(text), text)
        changed = parts.on_port(1).on_interface("10.0.0.1").with_backlog(5)
        expected = "haproxy:tcp:1:interface=10.0.0.1:backlog=5"
        self.assertEqual(str(changed), expected)
        self.assertEqual(
            str(changed.without_proxy()), expected.removeprefix("haproxy:")
        )


class DialTests(SynchronousTestCase):
    """How a client of this host reaches a server."""

    def test_addresses(self) -> None:
        """Every kind of endpoint has the address that its clients need."""
        for endpoint, address in (
            ("tcp:9876", "127.0.0.1:9876"),
            ("tcp:port=9876:backlog=5", "127.0.0.1:9876"),
            ("tcp:9876:interface=0.0.0.0", "127.0.0.1:9876"),
            ("tcp:9876:interface=10.0.0.1", "10.0.0.1:9876"),
            (r"tcp:9876:interface=\:\:1", "[::1]:9876"),
            (r"tcp:9876:interface=\:\:", "[::1]:9876"),
            ("tcp6:9876", "[::1]:9876"),
            (r"tcp6:9876:interface=2001\:db8\:\:1", "[2001:db8::1]:9876"),
            ("ssl:9876:privateKey=k:certKey=c", "ssl:127.0.0.1:9876"),
            (r"ssl:9876:interface=\:\:1", r"ssl:\:\:1:9876"),
            ("unix:/run/mq:mode=660", "unix:/run/mq"),
            (r"unix:address=/run/a\:b", r"unix:/run/a\:b"),
            ("haproxy:tcp:9876", "127.0.0.1:9876"),
        ):
            self.assertEqual(dial_address(endpoint), address)

    def test_usable(self) -> None:
        """Twisted makes a client's endpoint of each."""
        reactor = MemoryReactorClock()
        for endpoint in ("tcp:9876", "tcp6:9876", "ssl:9876", "unix:/run/mq:mode=660"):
            text = client_endpoint(dial_address(endpoint))
            clientFromString(reactor, text)

    def test_unknown(self) -> None:
        """Where the string does not say it, that is an error with the string."""
        for endpoint in (
            "tcp:0",
            "systemd:domain=INET:index=0",
            "haproxy:unix:/run/mq",
        ):
            error = self.assertRaises(ValueError, dial_address, endpoint)
            self.assertIn(f'"{endpoint}" does not say', str(error))


class LoopbackTests(SynchronousTestCase):
    """Endpoints to which only this machine can connect."""

    def test_loopback(self) -> None:
        """One interface of the loopback, or a file; a name is not looked up."""
        for text, expected in (
            ("tcp:9876:interface=127.0.0.1", True),
            (r"tcp:9876:interface=\:\:1", True),
            ("unix:/run/mq", True),
            ("tcp:9876", False),
            ("haproxy:tcp:9876:interface=127.0.0.1", False),
            ("haproxy:unix:/run/mq", False),
            ("tcp:9876:interface=0.0.0.0", False),
            ("tcp:9876:interface=10.0.0.1", False),
            ("", False),
        ):
            self.assertIs(is_loopback_endpoint(text), expected, text)
