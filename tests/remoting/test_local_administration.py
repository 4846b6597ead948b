"""Tests of requests of administrators from other machines."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.local_administration import is_local


class LocalTests(SynchronousTestCase):
    """Which peers are on this machine."""

    def test_is_local(self) -> None:
        """Addresses of the loopback and sockets of files, nothing that looks alike."""
        for address, expected in (
            ("127.0.0.1:4000", True),
            ("127.9.9.9:4000", True),
            ("[::1]:4000", True),
            ("[::ffff:127.0.0.1]:4000", True),
            ("UNIXAddress('/run/mq')", True),
            ("10.0.0.1:4000", False),
            ("[::2]:4000", False),
            ("[::1:1]:4000", False),
            ("?", False),
        ):
            self.assertIs(is_local(address), expected, address)
