"""What the messages of one producer share."""

from __future__ import annotations

from tests.client.producing import HELLO, ProducerCase


class ContextTests(ProducerCase):
    """The context of a producer whose messages are in flight."""

    def test_pending(self) -> None:
        """It knows the messages without a result, whichever way they go."""
        producer = self.producer()
        first = producer.send(HELLO)
        self.assertEqual(len(producer._context.pending), 1)
        self.sent(first)
        second = producer.send(HELLO)
        (pending,) = producer._context.pending
        self.assertIs(pending.result, second)
        self.sent(second)
        self.assertEqual(producer._context.pending, set())
