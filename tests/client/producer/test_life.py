"""The life of a producer: its group, its start, its end."""

from __future__ import annotations

from rocketmq_tw.client.errors import (
    GroupInUse,
    NotRunning,
    StateError,
    ValidationError,
)
from rocketmq_tw.client.producer.producer import Producer
from tests.client.producing import HELLO, ProducerCase


class LifeTests(ProducerCase):
    """A producer that is started and stopped."""

    def test_not_running(self) -> None:
        """A producer that was stopped sends nothing."""
        producer = self.producer()
        self.sent(producer.stop())
        self.failed(producer.send(HELLO), NotRunning)

    def test_group_in_use(self) -> None:
        """One producer a group; after its end, another."""
        first = self.producer()
        self.assertRaises(GroupInUse, self.producer)
        self.sent(first.stop())
        self.sent(self.producer().send(HELLO))

    def test_stopped_for_good(self) -> None:
        """A producer lives once, whether it was ever started or not."""
        producer = self.producer()
        for _ in range(2):
            self.sent(producer.stop())
        self.failed(producer.start(), StateError)
        idle = Producer(self.client.session, "never-started")
        self.sent(idle.stop())
        Producer(self.client.session, "never-started")

    def test_bad_group(self) -> None:
        """Reserved and malformed names are refused."""
        for group in ("", "a b", "DEFAULT_PRODUCER", "x" * 121):
            self.assertRaises(ValidationError, self.client.producer, group)
