"""Messages that wait for a poll, and polls that wait for messages."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.lite.cursors import Cursors
from rocketmq_tw.client.consumer.lite.delivery import Delivery
from rocketmq_tw.client.errors import NotRunning, StateError
from tests.client.consumer.lite.test_cursors import FakeFetcher
from tests.client.fakes import message, queues


class DeliveryTests(SynchronousTestCase):
    """Two queues."""

    def setUp(self) -> None:
        """Assign them."""
        self.clock = Clock()
        self.consumed: list[tuple[int, int]] = []
        self.cursors = Cursors(lambda q, at: self.consumed.append((q.queue_id, at)))
        self.delivery = Delivery(self.clock, self.cursors)
        self.fetchers = [FakeFetcher(queue) for queue in queues("T", 2)]
        for fetcher in self.fetchers:
            self.cursors.begin(cast(Any, fetcher), 0)

    def pulled(self, queue_id: int, *offsets: int) -> None:
        """Let messages come."""
        messages = self.fetchers[queue_id].messages
        new = messages.put(message(i, queue_id=queue_id) for i in offsets)
        self.delivery.add(messages, new)

    def poll(self, limit: int) -> list[tuple[int, int]]:
        """Poll what is there."""
        polled = self.successResultOf(self.delivery.poll(limit, 0))
        return [(m.queue_id, m.queue_offset) for m in polled]

    def test_turns(self) -> None:
        """A long queue does not delay the other; one poll may return both."""
        self.pulled(0, 0, 1, 2, 3)
        self.pulled(1, 0)
        self.assertEqual(self.poll(2), [(0, 0), (0, 1)])
        self.assertEqual(self.poll(2), [(1, 0), (0, 2)])
        self.assertEqual(self.poll(2), [(0, 3)])
        self.assertEqual(self.poll(2), [])
        self.assertEqual(self.consumed, [(0, 2), (1, 1), (0, 3), (0, 4)])

    def test_waits(self) -> None:
        """A poll that waits gets messages as they come, or none after its timeout."""
        waiting = self.delivery.poll(9, 5.0)
        self.pulled(0, 0)
        self.assertEqual(len(self.successResultOf(waiting)), 1)
        late = self.delivery.poll(9, 5.0)
        self.clock.advance(5)
        self.assertEqual(self.successResultOf(late), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_at_a_time(self) -> None:
        """A second poll would claim that the first one's messages were dealt with."""
        self.delivery.poll(9, None)
        self.failureResultOf(self.delivery.poll(9, None), StateError)

    def test_cancelled(self) -> None:
        """A poll that is cancelled takes no message with it."""
        waiting = self.delivery.poll(9, 5.0)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.pulled(0, 0)
        self.assertEqual(self.poll(9), [(0, 0)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_paused(self) -> None:
        """A paused queue keeps its messages and its turn."""
        self.pulled(0, 0)
        self.fetchers[0].paused = True
        waiting = self.delivery.poll(9, None)
        self.delivery.wake()
        self.assertNoResult(waiting)
        self.fetchers[0].paused = False
        self.delivery.wake()
        self.assertEqual(len(self.successResultOf(waiting)), 1)

    def test_revoked(self) -> None:
        """A queue that is lost delivers nothing."""
        self.pulled(0, 0)
        self.fetchers[0].messages.drop()
        self.delivery.discard(self.fetchers[0].messages)
        self.assertEqual(self.poll(9), [])

    def test_put_back(self) -> None:
        """A poll that is undone is repeated by the next."""
        self.pulled(0, 0, 1)
        self.poll(9)
        self.delivery.put_back()
        self.assertEqual(self.poll(9), [(0, 0), (0, 1)])
        self.assertEqual(self.consumed, [])

    def test_closed(self) -> None:
        """After the end polls fail, but still confirm what came before."""
        self.pulled(0, 0)
        self.poll(9)
        waiting = self.delivery.poll(9, None)
        self.delivery.close()
        self.assertEqual(self.successResultOf(waiting), [])
        self.failureResultOf(self.delivery.poll(9, None), NotRunning)
        self.assertEqual(self.successResultOf(self.delivery.poll_or_end(9)), [])
        self.assertEqual(self.consumed, [(0, 1)])
