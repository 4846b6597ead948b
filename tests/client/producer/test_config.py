"""The options of a producer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.producer.config import ProducerConfig, ProducerOptions


class ProducerConfigTests(SynchronousTestCase):
    """Its fields."""

    def test_options(self) -> None:
        """What type checkers see of the options are the fields, with their types."""
        self.assertEqual(
            ProducerOptions.__annotations__.keys(),
            ProducerConfig.__annotations__.keys(),
        )
        for name, kind in ProducerConfig.__annotations__.items():
            self.assertIn(kind, str(ProducerOptions.__annotations__[name]))

    def test_defaults(self) -> None:
        """They are Java's, where Java has them."""
        config = ProducerConfig()
        self.assertEqual((config.timeout, config.retries), (3.0, 2))
        self.assertEqual((config.compress_from, config.compress_level), (4096, 5))
        self.assertEqual(config.max_message_size, 4 << 20)
