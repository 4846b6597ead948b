"""Loops over messages."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.client.consumer.lite.consumer import PullConsumer
from tests.client.consumer.lite.cases import PullConsumerCase


class IterationTests(PullConsumerCase):
    """``async for`` over a consumer."""

    def setUp(self) -> None:
        """Store three messages."""
        super().setUp()
        self.send(3)
        self.consumed: list[bytes] = []
        self.body: Deferred[None] = Deferred()

    async def loop(self, consumer: PullConsumer) -> None:
        """Consume; the body of the third message takes its time."""
        async for message in consumer:
            self.consumed.append(message.body)
            if message.body == b"2":
                await self.body

    def test_commits_after_the_body(self) -> None:
        """A message is committed once its body has ended, not before."""
        consumer = self.started()
        Deferred.fromCoroutine(self.loop(consumer))
        self.cluster.advance(6)
        self.assertEqual(self.consumed, [b"0", b"1", b"2"])
        self.assertEqual(self.committed(), 2)
        self.body.callback(None)
        self.cluster.advance(6)
        self.assertEqual(self.committed(), 3)

    def test_stop_waits_for_the_body(self) -> None:
        """A stop lets the body end; then the loop ends, and all is committed."""
        consumer = self.started()
        looping = Deferred.fromCoroutine(self.loop(consumer))
        stopped = consumer.stop()
        self.cluster.advance(1)
        self.assertNoResult(stopped)
        self.body.callback(None)
        self.successResultOf(looping)
        report = self.cluster.result_of(stopped)
        self.assertEqual((report.abandoned, self.committed()), ([], 3))

    def test_stop_after_a_break(self) -> None:
        """A loop that was left is not waited for."""

        async def first(consumer: PullConsumer) -> None:
            async for _message in consumer:
                break
            await consumer.stop()

        consumer = self.started()
        before = self.clock.seconds()
        self.cluster.result_of(first(consumer))
        self.assertLess(self.clock.seconds() - before, 5)

    def test_end_loops(self) -> None:
        """A loop ends after its body, before the consumer is stopped."""
        consumer = self.started()
        looping = Deferred.fromCoroutine(self.loop(consumer))
        consumer.end_loops()
        self.body.callback(None)
        self.successResultOf(looping)
        self.cluster.result_of(consumer.stop())
        self.assertEqual(self.committed(), 3)

    def test_loop_left_while_stopping(self) -> None:
        """A body that raises is not waited for any longer; its message comes again."""
        consumer = self.started()
        looping = Deferred.fromCoroutine(self.loop(consumer))
        stopped = consumer.stop()
        self.body.errback(ValueError())
        self.failureResultOf(looping, ValueError)
        before = self.clock.seconds()
        report = self.cluster.result_of(stopped)
        self.assertLess(self.clock.seconds() - before, 5)
        self.assertEqual((len(report.abandoned), self.committed()), (1, 2))

    def test_batches(self) -> None:
        """A loop over lists of messages ends with the consumer."""
        seen: list[list[bytes]] = []

        async def loop(consumer: PullConsumer) -> None:
            async for batch in consumer.batches(2):
                seen.append(self.bodies(batch))

        consumer = self.started()
        looping = Deferred.fromCoroutine(loop(consumer))
        self.cluster.advance(1)
        self.cluster.result_of(consumer.stop())
        self.successResultOf(looping)
        self.assertEqual(seen, [[b"0", b"1"], [b"2"]])
        self.assertEqual(self.committed(), 3)
