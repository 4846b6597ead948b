"""Who sends what a proxy passes on."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.web.proxies import Proxies, host_of_entry
from rocketmq_tw.model.ip_address import parse_networks


class ProxyTests(SynchronousTestCase):
    """Whose word is taken, and how far."""

    proxies = Proxies(parse_networks("10.0.0.7, 2001:db8:7::/64"))

    def asker(self, peer: str, *forwarded: str) -> str:
        """Return who asks."""
        return self.proxies.asker(peer, forwarded)

    def test_last_that_is_no_proxy(self) -> None:
        """What stands before it was claimed by whoever it is."""
        claimed = "192.0.2.1, 203.0.113.9"
        for forwarded in (
            (claimed,),
            (f"{claimed}, 10.0.0.7",),
            (f"{claimed}, 2001:db8:7::1, ::ffff:10.0.0.7, 127.0.0.1",),
            ("192.0.2.1", "203.0.113.9", "10.0.0.7"),
        ):
            for peer in ("10.0.0.7", "2001:db8:7::2", "127.0.0.1", "local"):
                self.assertEqual(self.asker(peer, *forwarded), "203.0.113.9")

    def test_no_proxy(self) -> None:
        """Anybody else is who sends it."""
        for peer in ("10.0.0.8", "203.0.113.1", "2001:db8:8::1"):
            self.assertEqual(self.asker(peer, "192.0.2.1"), peer)

    def test_none_but_proxies(self) -> None:
        """A proxy that sends a request of its own counts; no claim changes that."""
        self.assertEqual(self.asker("10.0.0.7"), "10.0.0.7")
        self.assertEqual(self.asker("10.0.0.7", "127.0.0.1"), "10.0.0.7")
        self.assertEqual(self.asker("10.0.0.7", "127.0.0.1, 10.0.0.7"), "10.0.0.7")

    def test_no_address(self) -> None:
        """What a proxy says instead of an address is not taken for a known one."""
        self.assertEqual(self.asker("10.0.0.7", "127.0.0.1, unknown"), "?unknown")
        self.assertEqual(self.asker("10.0.0.7", "127.0.0.1, local"), "?local")
        self.assertEqual(self.asker("10.0.0.7", "127.0.0.1,"), "?")

    def test_entries(self) -> None:
        """Ports, brackets, quotes and zones; what is no address is cut."""
        for entry, host in (
            (" 203.0.113.1 ", "203.0.113.1"),
            ("203.0.113.1:5555", "203.0.113.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:5555", "2001:db8::1"),
            ('"[2001:db8::1]:5555"', "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("[203.0.113.1", "203.0.113.1"),
            ("_hidden:5", "?_hidden"),
            ("x" * 1000, "?" + "x" * 63),
        ):
            self.assertEqual(host_of_entry(entry), host)
