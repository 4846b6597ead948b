"""How far the application has come."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.lite.cursors import Cursors
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.client.errors import NotAssigned
from rocketmq_tw.model.queue import MessageQueue
from tests.client.fakes import message, queues

QUEUE = queues("T", 1)[0]


class FakeFetcher:
    """A fetcher that only knows where it is."""

    def __init__(self, queue: MessageQueue) -> None:
        self.queue = queue
        self.messages = ProcessQueue(queue)
        self.paused = False
        self.next_offset = 0
        self.calls: list[Any] = []

    def start(self, offset: int) -> None:
        """Note the offset."""
        self.calls.append(offset)

    def stop(self) -> None:
        """Note it."""
        self.calls.append("stop")


class CursorsTests(SynchronousTestCase):
    """One queue that begins at 10, with the messages 10 to 14."""

    def setUp(self) -> None:
        """Pull them."""
        self.consumed: list[int] = []
        self.cursors = Cursors(lambda _queue, offset: self.consumed.append(offset))
        self.fetcher = FakeFetcher(QUEUE)
        self.cursors.begin(cast(Any, self.fetcher), 10)
        self.fetcher.messages.put([message(i) for i in range(10, 15)])
        self.fetcher.next_offset = 20
        self.cursor = self.cursors.get(QUEUE)

    def take(self, limit: int) -> list[int]:
        """Take messages; give their offsets."""
        return [m.queue_offset for m in self.cursors.take(self.cursor, limit)]

    def test_take(self) -> None:
        """The position follows; behind the last message it is the next pull's."""
        self.assertEqual(self.take(2), [10, 11])
        self.assertEqual(self.cursors.positions(), {QUEUE: 12})
        self.assertEqual(self.take(9), [12, 13, 14])
        self.assertEqual(self.cursor.position, 20)

    def test_confirm(self) -> None:
        """Messages in hand are consumed once."""
        self.take(2)
        self.assertEqual(self.fetcher.messages.running, 1)
        self.cursors.confirm()
        self.cursors.confirm()
        self.assertEqual((self.consumed, self.fetcher.messages.running), ([12], 0))

    def test_lost(self) -> None:
        """What becomes of a queue that is another member's does not count."""
        self.take(2)
        self.fetcher.messages.drop()
        self.cursors.forget(self.fetcher.messages)
        self.cursors.confirm()
        self.assertEqual(self.consumed, [])
        self.assertRaises(NotAssigned, self.cursors.get, QUEUE)

    def test_put_back(self) -> None:
        """A poll that is undone delivers the same messages again."""
        self.take(2)
        self.assertEqual(self.cursors.put_back(), [self.cursor])
        self.assertEqual(self.cursor.position, 10)
        self.cursors.confirm()
        self.assertEqual((self.take(2), self.consumed), ([10, 11], []))

    def test_abandoned(self) -> None:
        """What is abandoned is not consumed."""
        self.take(2)
        self.assertEqual(len(self.cursors.in_hand), 2)
        self.cursors.abandon()
        self.cursors.confirm()
        self.assertEqual((self.consumed, self.cursors.in_hand), ([], []))

    def test_move(self) -> None:
        """After a move the messages in hand no longer count."""
        self.take(2)
        self.cursor.move(3)
        self.cursors.confirm()
        self.assertEqual((self.consumed, self.cursor.position), ([], 3))
        self.assertEqual(self.fetcher.calls, ["stop", 3])
        self.fetcher.messages.put([message(3)])
        self.assertEqual(self.take(2), [3])
        self.cursors.confirm()
        self.assertEqual(self.consumed, [20])

    def test_skipped(self) -> None:
        """What did not match is consumed, but never before what is in hand."""
        self.take(5)
        self.cursors.update(QUEUE, 25)
        self.assertEqual(self.consumed, [])
        self.cursors.confirm()
        self.cursors.update(QUEUE, 30)
        self.assertEqual(self.consumed, [25, 30])
        self.assertEqual(self.cursors.for_pull(QUEUE), 0)
