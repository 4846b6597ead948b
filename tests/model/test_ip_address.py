"""Tests of what tells addresses from names."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.ip_address import is_ip_address


class AddressTests(SynchronousTestCase):
    """Texts that are addresses, and others."""

    def test_ip_address(self) -> None:
        """Addresses of both families are distinguished from names, zones and ports."""
        for text in ("10.0.0.1", "::1", "2001:db8::1"):
            self.assertTrue(is_ip_address(text), text)
        for text in ("", "host", "10.0.0", "[::1]", "fe80::1%eth0", "10.0.0.1:1", "\0"):
            self.assertFalse(is_ip_address(text), text)
