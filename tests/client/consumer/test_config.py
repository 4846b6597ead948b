"""The options of a push consumer."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.config import ConsumerConfig, ConsumerOptions
from rocketmq_tw.client.consumer.offsets.start import EARLIEST, LATEST
from rocketmq_tw.client.errors import ValidationError


class ConsumerConfigTests(SynchronousTestCase):
    """Its fields, and what they may be."""

    def test_options(self) -> None:
        """What type checkers see of the options are the fields, with their types."""
        self.assertEqual(
            ConsumerOptions.__annotations__.keys(),
            ConsumerConfig.__annotations__.keys(),
        )
        for name, kind in ConsumerConfig.__annotations__.items():
            self.assertIn(kind, str(ConsumerOptions.__annotations__[name]))

    def test_ranges(self) -> None:
        """What is out of its range is refused, with the range."""
        for option, value in (
            ("concurrency", 0),
            ("concurrency", 1001),
            ("batch", 1025),
            ("pull_batch", 0),
            ("max_retries", -1),
            ("max_cached_bytes", 0),
            ("handler_timeout", 0),
            ("revoke_grace", -1),
        ):
            error = self.assertRaises(
                ValidationError, ConsumerConfig, **{option: value}
            )
            self.assertIn(f"{option} is {value}; expected", str(error))

    def test_start_from(self) -> None:
        """An end of the queue, or a time; nothing else."""
        for start in (LATEST, EARLIEST, datetime(2024, 1, 1, tzinfo=UTC)):
            self.assertEqual(ConsumerConfig(start_from=start).start_from, start)
        self.assertRaises(ValidationError, ConsumerConfig, start_from="now")
