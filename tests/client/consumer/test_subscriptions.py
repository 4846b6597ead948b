"""What a consumer reads."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.expressions import Tags
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.client.errors import ValidationError


def handle(_: object) -> None:
    """Do nothing."""


class SubscriptionsTests(SynchronousTestCase):
    """The topics of one consumer."""

    def setUp(self) -> None:
        """Subscribe to one topic."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.subscriptions = Subscriptions("G", self.clock)
        self.subscriptions.add("T", Tags("A"), handle)

    def test_retry_topic(self) -> None:
        """The group's retry topic comes along, whole."""
        self.assertEqual(self.subscriptions.topics, ["T", "%RETRY%G"])
        retries = self.subscriptions.of("%RETRY%G")
        self.assertEqual(retries.sub_string if retries else "", "*")

    def test_no_retry_topic(self) -> None:
        """A broadcasting group has no retry topic."""
        subscriptions = Subscriptions("G", self.clock, retries=False)
        subscriptions.add("T", "*", None)
        self.assertEqual(subscriptions.topics, ["T"])

    def test_versions(self) -> None:
        """Heartbeats get newer versions; the subscription keeps its own."""
        self.subscriptions.renew()
        kept = self.subscriptions.of("T")
        announced = self.subscriptions.for_heartbeat()[0]
        self.assertEqual(kept.sub_version if kept else 0, 1_000_000)
        self.assertGreater(announced.sub_version, 1_000_000)

    def test_handlers(self) -> None:
        """A topic has its own handler, or the common one, or none."""
        self.assertIs(self.subscriptions.handler_of("T"), handle)
        self.subscriptions.add("U", "*", None)
        self.assertEqual(self.subscriptions.unhandled(), ["U"])
        self.assertRaises(ValidationError, self.subscriptions.handler_of, "U")
        self.subscriptions.handler = print
        self.assertEqual(self.subscriptions.unhandled(), [])
        self.assertIs(self.subscriptions.handler_of("U"), print)

    def test_removed(self) -> None:
        """Without topics of its own there is nothing to read."""
        self.assertTrue(self.subscriptions)
        self.subscriptions.remove("T")
        self.assertFalse(self.subscriptions)
