"""Tests of rocketmq_tw.wire.bodies.body."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.bodies.body import Body, camel, camel_but


class Odd(Body, frozen=True, rename=camel_but(lock_ok="lockOK")):
    """A body with one odd name."""

    lock_ok: int = 0
    queue_id: int = 0


class BodyTests(SynchronousTestCase):
    """Bodies carry Java's names."""

    def test_names(self) -> None:
        """Names are in camel case but for those that are spelt."""
        self.assertEqual(camel("consumer_id_list"), "consumerIdList")
        self.assertEqual(Odd(1, 2).encode(), b'{"lockOK":1,"queueId":2}')
        self.assertEqual(Odd.decode(b'{"queueId":"2","lockOK":1}'), Odd(1, 2))
