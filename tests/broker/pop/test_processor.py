"""Tests of rocketmq_tw.broker.pop.processor: pops that wait, and notifications."""

from __future__ import annotations

from rocketmq_tw.wire.requests.pop import Notification, PollingInfo
from tests.broker.cases import GROUP, TOPIC
from tests.broker.pop.cases import PopCase, acknowledged, popped, receipts_of


def notified(poll_time: int = 0, **fields: object) -> Notification:
    """Make a notification."""
    return Notification(GROUP, TOPIC, -1, poll_time, **fields)


class WaitingTests(PopCase):
    """A pop waits until a message arrives, or its time is over."""

    def test_woken(self) -> None:
        """A message ends the wait."""
        waiting = self.ask(popped(poll_time=15_000))
        self.pass_time(3)
        self.assertNoResult(waiting)
        self.fill(b"a", queue_id=2)
        self.clock.advance(0)
        response = self.successResultOf(waiting)
        self.assertEqual(set(receipts_of(response)), {b"a"})

    def test_time_is_over(self) -> None:
        """Then nothing was found, with all numbers in the header."""
        waiting = self.ask(popped(poll_time=2_000))
        self.pass_time(2.2)
        response = self.successResultOf(waiting)
        self.assertEqual(
            (response.status, response.remark), (210, "NO_MESSAGE_IN_QUEUE")
        )
        self.assertEqual((response.pop_time, response.rest_num), (0, 0))
        self.assertEqual(len(self.pop.polling), 0)

    def test_revived_messages_wake(self) -> None:
        """A message in the retry topic wakes its group."""
        self.fill(b"a")
        self.receipts(invisible_time=1_000)
        waiting = self.ask(popped(poll_time=15_000))
        self.pass_time(1.5)
        self.assertEqual(set(receipts_of(self.successResultOf(waiting))), {b"a"})

    def test_filter(self) -> None:
        """A message that does not match wakes nobody, and is passed over later."""
        waiting = self.ask(popped(poll_time=15_000, exp="B"))
        self.fill(b"a", tag="A")
        self.pass_time(1)
        self.assertNoResult(waiting)
        self.fill(b"b", tag="B")
        self.pass_time(0.1)
        self.assertEqual(set(receipts_of(self.successResultOf(waiting))), {b"b"})

    def test_sent_too_long_ago(self) -> None:
        """A pop whose time was over before it came gets nothing."""
        born = int(self.clock.wall_seconds() * 1000) - 20_000
        self.fill(b"a")
        response = self.now(popped(poll_time=15_000, born_time=born))
        self.assertEqual(response.status, 210)
        self.assertIn("5000 ms ago", response.remark)

    def test_full(self) -> None:
        """A queue at which too many wait is full; the remark names the setting."""
        self.pop.polling._limit_per_queue = 1
        self.ask(popped(poll_time=15_000))
        response = self.now(popped(poll_time=15_000))
        self.assertEqual((response.status, response.pop_time), (209, 0))
        self.assertIn("popPollingSize", response.remark)
        response = self.now(notified(poll_time=1000))
        self.assertEqual((response.has_msg, response.polling_full), (False, True))

    def test_how_many_wait(self) -> None:
        """Those at exactly this queue are counted."""
        self.ask(popped(poll_time=15_000))
        for queue_id, count in ((-1, 1), (0, 0)):
            response = self.now(PollingInfo(GROUP, TOPIC, queue_id))
            self.assertEqual(response.polling_num, count)

    def test_stop(self) -> None:
        """At the stop all get their responses."""
        waiting = self.ask(popped(poll_time=15_000))
        self.stop()
        self.assertEqual(self.successResultOf(waiting).status, 210)


class NotificationTests(PopCase):
    """Notifications say whether a pop would find messages."""

    def test_messages(self) -> None:
        """There are some until they are handed out."""
        self.assertFalse(self.now(notified()).has_msg)
        self.fill(b"a")
        self.assertTrue(self.now(notified()).has_msg)
        self.receipts()
        self.assertFalse(self.now(notified()).has_msg)

    def test_retries_count(self) -> None:
        """Messages of the retry topic are messages."""
        self.fill(b"a")
        self.receipts(invisible_time=0)
        self.pass_time(0.4)
        self.assertTrue(self.now(notified()).has_msg)

    def test_waits(self) -> None:
        """One that waits hears of the next message, and takes none."""
        waiting = self.ask(notified(poll_time=15_000))
        self.fill(b"a")
        self.clock.advance(0)
        self.assertTrue(self.successResultOf(waiting).has_msg)
        self.assertEqual(set(self.receipts()), {b"a"})
        waiting = self.ask(notified(poll_time=1_000))
        self.pass_time(1.2)
        self.assertFalse(self.successResultOf(waiting).has_msg)


class MessageTests(PopCase):
    """What responses have besides messages."""

    def test_rest(self) -> None:
        """How many more messages there are is said, and others are woken for them."""
        waiting = [self.ask(popped(poll_time=15_000, max_msg_nums=2)) for _ in range(2)]
        self.fill(b"a", b"b", b"c")
        self.clock.advance(0)
        self.clock.advance(0)
        found = [self.successResultOf(each) for each in waiting]
        bodies = [set(receipts_of(each)) for each in found]
        self.assertEqual(sorted(map(len, bodies)), [1, 2])
        self.assertEqual(sorted(each.rest_num for each in found), [0, 1])

    def test_each_queue_once(self) -> None:
        """No queue is twice in a list: Java's client refuses that."""
        for queue_id in range(4):
            self.fill(b"%d" % queue_id, queue_id=queue_id)
        self.receipts(invisible_time=0)
        self.pass_time(0.4)
        self.fill(b"x")
        response = self.now(popped())
        queues = [
            each.rsplit(" ", 1)[0] for each in response.start_offset_info.split(";")
        ]
        self.assertEqual(sorted(queues), ["0 0", "1 0"])
        for receipt in receipts_of(response).values():
            self.assertIsNone(self.now(acknowledged(receipt)).remark)
