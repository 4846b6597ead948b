"""Failed messages of broadcasting consumers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.dispatch.drops import MessageDrops
from tests.client.fakes import message


class MessageDropsTests(SynchronousTestCase):
    """They are dropped."""

    def test_dropped(self) -> None:
        """It succeeds, so that the offset advances."""
        self.successResultOf(MessageDrops().send_back(message(1), 0))
        self.successResultOf(MessageDrops().bury(message(1)))
