"""The general way of messages, and the rules for further attempts."""

from __future__ import annotations

from rocketmq_tw.client.errors import QueueFull
from rocketmq_tw.client.producer.retry import Repeat
from rocketmq_tw.client.producer.sends import ONE_WAY
from rocketmq_tw.model.message import Message
from tests.client.producing import ProducerCase


class SendsTests(ProducerCase):
    """The sends of one producer."""

    def test_rules(self) -> None:
        """A chosen queue is tried again only if nothing was stored there."""
        sends = self.producer()._sends
        self.assertIs(sends.retry.repeat, Repeat.IF_RETRYABLE)
        self.assertIs(sends.retry_in_order.repeat, Repeat.IF_NOT_STORED)
        self.assertIs(ONE_WAY.repeat, Repeat.NEVER)

    def test_overflow(self) -> None:
        """A producer that does not let sends wait fails those past its limit."""
        producer = self.producer(max_in_flight=1, overflow="fail")
        first = producer.send(Message("T", b"1"))
        self.failureResultOf(producer.send(Message("T", b"2")), QueueFull)
        self.sent(first)

    def test_no_traces(self) -> None:
        """Without traces there is nothing to wait for at the end."""
        self.assertIsNone(self.successResultOf(self.producer()._sends.stop()))
