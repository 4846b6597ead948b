"""Tests of patterns of addresses."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.addresses import (
    MAX_CHOICES,
    MAX_PATTERN,
    network,
    parse_address,
    white_list,
)
from rocketmq_tw.auth.errors import BadPolicy

#: Patterns, addresses that they match, and addresses that they do not.
WHITE = (
    ("*", "10.0.0.1 ::1", ""),
    ("10.0.0.1", "10.0.0.1", "10.0.0.2 ::1"),
    ("10.0.0.*", "10.0.0.1 10.0.0.255", "10.0.1.1"),
    ("10.0.*.*", "10.0.0.1 10.0.7.9", "10.1.0.1"),
    ("10.0.0-3.*", "10.0.0.1 10.0.3.9", "10.0.4.1"),
    ("10.0.0.5-7", "10.0.0.5 10.0.0.7", "10.0.0.4 10.0.0.8"),
    ("10.0.0.{1,2,7}", "10.0.0.1 10.0.0.7", "10.0.0.3"),
    ("10.0.0.1,10.0.0.9", "10.0.0.1 10.0.0.9", "10.0.0.2"),
    ("*.*.*.*", "10.0.0.1", "::1"),
    ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
    ("2001:db8:0:0:0:0:0:1-f", "2001:db8::1 2001:db8::f", "2001:db8::10 10.0.0.1"),
)
BAD = "10.0.0 10.0.0.256 10.0.0.9-1 host 10.0.0.1/8 10.0.0.{x} 1.2.3.a : {".split()


class AddressTests(SynchronousTestCase):
    """White lists, and networks of policies."""

    def test_white_lists(self) -> None:
        """Each form of ACL 1.0 matches what it says."""
        for pattern, inside, outside in WHITE:
            matches = white_list(pattern)
            assert matches is not None
            for texts, expected in ((inside, True), (outside, False)):
                for text in texts.split():
                    address = parse_address(text)
                    assert address is not None
                    self.assertIs(bool(matches(address)), expected, (pattern, text))

    def test_empty(self) -> None:
        """An empty pattern matches nothing, not everything."""
        self.assertIsNone(white_list(" "))

    def test_bad(self) -> None:
        """What is not a pattern is refused, as is one that is too long."""
        many = ",".join(["10.0.0.1"] * (MAX_CHOICES + 1))
        for text in (*BAD, many, "1" * (MAX_PATTERN + 1)):
            self.assertRaises(BadPolicy, white_list, text)

    def test_peers(self) -> None:
        """The address of IPv4 within IPv6 is that of IPv4; a path is none."""
        inner = parse_address("::ffff:10.0.0.1")
        self.assertEqual(inner, parse_address("10.0.0.1"))
        self.assertEqual(parse_address("[::1]"), parse_address("::1"))
        self.assertIsNone(parse_address("UNIXAddress('/run/mq')"))

    def test_network(self) -> None:
        """Policies have addresses and networks."""
        ours, other = parse_address("10.0.0.1"), parse_address("11.0.0.1")
        assert ours is not None and other is not None
        for text in ("10.0.0.0/8", "10.0.0.1", "10.1.2.3/8"):
            matches = network(text)
            self.assertTrue(matches(ours), text)
            self.assertFalse(matches(other), text)
        self.assertRaises(BadPolicy, network, "10.0.0.*")
