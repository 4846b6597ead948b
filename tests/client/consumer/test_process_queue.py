"""Messages that are pulled and not consumed."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from tests.client.fakes import message, queues


class ProcessQueueTests(SynchronousTestCase):
    """One queue's messages."""

    def setUp(self) -> None:
        """Take ten messages in."""
        self.held = ProcessQueue(queues("T", 1)[0])
        self.messages = [message(i, b"abc") for i in range(10, 20)]
        self.held.put(self.messages)

    def test_counts(self) -> None:
        """Number, stored bytes and span are those of the messages that are here."""
        counts = (len(self.held), self.held.size, self.held.span)
        self.assertEqual(counts, (10, 30, 9))

    def test_same_message_again(self) -> None:
        """A message that is here already is not taken twice."""
        new = self.held.put([message(19), message(20)])
        self.assertEqual([m.queue_offset for m in new], [20])
        self.assertEqual(len(self.held), 11)

    def test_commit_offset_is_the_lowest_left(self) -> None:
        """Finishing out of order moves the offset only over what is finished."""
        self.assertEqual(self.held.remove([self.messages[1]]), 10)
        self.assertEqual(self.held.remove([self.messages[0]]), 12)

    def test_emptied(self) -> None:
        """Once all is finished the offset is one past the highest."""
        self.assertEqual(self.held.remove(self.messages), 20)
        self.assertEqual((len(self.held), self.held.size, self.held.span), (0, 0, 0))

    def test_nothing_to_remove(self) -> None:
        """What is not here gives no offset."""
        self.held.remove(self.messages)
        self.assertEqual(self.held.remove(self.messages), -1)

    def test_backwards(self) -> None:
        """Messages below those here count for the offset."""
        self.held.put([message(5)])
        self.assertEqual(self.held.remove([self.messages[0]]), 5)
        self.assertEqual(self.held.span, 14)

    def test_order(self) -> None:
        """The first messages are those with the lowest offsets, whatever came last."""
        self.held.put([message(5), message(30)])
        self.held.remove([self.messages[1]])
        offsets = [m.queue_offset for m in self.held.head(4)]
        self.assertEqual(offsets, [5, 10, 12, 13])
        self.assertEqual([m.queue_offset for m in self.held.messages][-2:], [19, 30])

    def test_first_message_stays(self) -> None:
        """Little is kept of the messages consumed while the first one is not."""
        for offset in range(20, 2020):
            new = self.held.put([message(offset)])
            self.assertEqual(self.held.remove(new), 10)
        self.assertLess(len(self.held._order), 100)
        self.assertEqual(self.held.remove(self.messages), 2020)

    def test_same_offset_after_it_was_consumed(self) -> None:
        """A message that is pulled again counts again, once."""
        self.held.remove(self.messages[3:5])
        self.held.put([self.messages[3]])
        self.assertEqual(len(self.held.messages), 9)
        self.assertEqual(self.held.remove(self.messages[:3]), 13)

    def test_idle(self) -> None:
        """Those who wait are notified when the last invocation has ended."""
        self.successResultOf(self.held.when_idle())
        self.held.begin()
        self.held.begin()
        waiting = self.held.when_idle()
        self.held.end()
        self.assertNoResult(waiting)
        self.held.end()
        self.successResultOf(waiting)

    def test_waiting_can_be_given_up(self) -> None:
        """A cancelled waiter is forgotten."""
        self.held.begin()
        self.held.when_idle().addErrback(lambda _: None).cancel()
        self.held.end()
