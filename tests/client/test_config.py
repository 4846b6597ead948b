"""The settings of a client."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.config import ClientConfig


class ClientConfigTests(SynchronousTestCase):
    """The settings that all producers and consumers share."""

    def test_defaults(self) -> None:
        """They are Java's, where Java has them."""
        config = ClientConfig()
        self.assertEqual((config.poll_interval, config.heartbeat_interval), (30, 30))
        self.assertEqual((config.call_timeout, config.connect_timeout), (3, 3))
        self.assertEqual(config.idle_timeout, 120)

    def test_frozen(self) -> None:
        """Nobody changes the settings of a running client."""
        self.assertRaises(AttributeError, setattr, ClientConfig(), "call_timeout", 1)
