"""What becomes of messages once their handler has returned."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.dispatch.completion import RETRY_WAIT, Completion
from rocketmq_tw.client.consumer.dispatch.outcomes import ACK, Partial, Retry
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.model.message import StoredMessage
from tests.client.fakes import message, queues


class CompletionTests(SynchronousTestCase):
    """A queue that holds two messages, at offsets 1 and 2."""

    def setUp(self) -> None:
        """Let the broker take messages back."""
        self.clock = Clock()
        self.queue = ProcessQueue(queues("T", 1)[0])
        self.batch = self.queue.put([message(1), message(2)])
        self.offsets: list[int] = []
        self.levels: list[int] = []
        self.redispatched: list[StoredMessage] = []
        self.returned: Deferred[None] = succeed(None)
        self.completion = Completion(
            clock=self.clock,
            consumed=lambda _queue, offset: self.offsets.append(offset),
            send_back=self.send_back,
            redispatch=lambda _queue, messages: self.redispatched.extend(messages),
        )

    def send_back(self, given: StoredMessage, level: int) -> Deferred[None]:
        """Keep the level."""
        self.levels.append(level)
        return self.returned

    def test_consumed(self) -> None:
        """There is nothing to wait for; the offset moves."""
        self.assertIsNone(self.completion.complete(self.queue, self.batch, ACK))
        self.assertEqual((self.offsets, len(self.queue)), ([3], 0))

    def test_sent_back(self) -> None:
        """A message stays until the broker has it; the offset waits for it."""
        self.returned = Deferred()
        done = self.completion.complete(
            self.queue, self.batch, Partial(self.batch[:1], level=4)
        )
        assert done is not None
        self.assertNoResult(done)
        self.assertEqual((self.offsets, self.levels), ([1], [4]))
        self.returned.callback(None)
        self.successResultOf(done)
        self.assertEqual((self.offsets, len(self.queue)), ([1, 3], 0))

    def test_not_taken_back(self) -> None:
        """It goes to the handler again in a while, one delivery later."""
        self.returned = fail(ValueError())
        done = self.completion.complete(self.queue, self.batch[:1], Retry())
        assert done is not None
        self.successResultOf(done)
        self.assertEqual((self.offsets, len(self.queue)), ([], 2))
        self.clock.advance(RETRY_WAIT)
        self.assertEqual([m.reconsume_times for m in self.redispatched], [1])

    def test_stop(self) -> None:
        """What was scheduled for another try is forgotten."""
        self.returned = fail(ValueError())
        self.completion.complete(self.queue, self.batch[:1], Retry())
        self.completion.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closing_queue(self) -> None:
        """A queue that is given up gets no other try: its new owner repeats it."""
        self.queue.close()
        self.returned = fail(ValueError())
        self.completion.complete(self.queue, self.batch[:1], Retry())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.queue), 2)

    def test_dropped_queue(self) -> None:
        """The outcome of messages of a dropped queue counts for nothing."""
        self.queue.drop()
        self.assertIsNone(self.completion.complete(self.queue, self.batch, Retry()))
        self.assertEqual((self.offsets, self.levels), ([], []))

    def test_dropped_meanwhile(self) -> None:
        """So does the end of sending back."""
        self.returned = Deferred()
        done = self.completion.complete(self.queue, self.batch, Retry())
        assert done is not None
        self.queue.drop()
        self.returned.callback(None)
        self.successResultOf(done)
        self.assertEqual(self.offsets, [])
