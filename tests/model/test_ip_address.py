"""Tests of what tells addresses from names, and of lists of networks."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.ip_address import (
    find_address,
    is_ip_address,
    parse_networks,
)


class AddressTests(SynchronousTestCase):
    """Texts that are addresses, and others."""

    def test_ip_address(self) -> None:
        """Addresses of both families are distinguished from names, zones and ports."""
        for text in ("10.0.0.1", "::1", "2001:db8::1"):
            self.assertTrue(is_ip_address(text), text)
        for text in ("", "host", "10.0.0", "[::1]", "fe80::1%eth0", "10.0.0.1:1", "\0"):
            self.assertFalse(is_ip_address(text), text)

    def test_find_address(self) -> None:
        """A zone is left out, and an address of IPv4 within IPv6 is that of IPv4."""
        for text, expected in (
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("fe80::1%eth0", "fe80::1"),
        ):
            self.assertEqual(str(find_address(text)), expected)
        for text in ("", "host", "[::1]", "10.0.0.1:1"):
            self.assertIsNone(find_address(text), text)


class NetworkTests(SynchronousTestCase):
    """Lists of networks."""

    def test_networks(self) -> None:
        """Addresses are networks, too; blanks and empty entries do not count."""
        found = parse_networks(" 10.0.0.7, 10.1.0.0/16,,2001:db8::/32 ")
        expected = ["10.0.0.7/32", "10.1.0.0/16", "2001:db8::/32"]
        self.assertEqual(list(map(str, found)), expected)
        self.assertEqual(parse_networks(" "), ())

    def test_refused(self) -> None:
        """What is no network, or all addresses, is named."""
        for text, why in (
            ("10.0.0.7, proxy", '"proxy" is neither'),
            ("10.0.0.7:80", '"10.0.0.7:80" is neither'),
            ("10.0.0.7/8", 'the network of "10.0.0.7/8" is 10.0.0.0/8'),
            ("0.0.0.0/0", '"0.0.0.0/0" has all addresses'),
        ):
            error = self.assertRaises(ValueError, parse_networks, text)
            self.assertEqual(str(error), why)
