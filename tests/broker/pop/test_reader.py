"""Tests of rocketmq_tw.broker.pop.reader: which messages a pop gets."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.broker.cases import GROUP, TOPIC
from tests.broker.pop.cases import PopCase, popped, receipts_of


class ReaderTests(PopCase):
    """Queues, offsets and filters."""

    def test_one_queue(self) -> None:
        """A pop may ask for one queue."""
        self.fill(b"a", queue_id=1)
        self.fill(b"b", queue_id=2)
        self.assertEqual(set(self.receipts(queue_id=2)), {b"b"})

    def test_as_many_as_wanted(self) -> None:
        """Not more than asked for, of all queues together."""
        for queue_id in range(4):
            self.fill(b"a%d" % queue_id, b"b%d" % queue_id, queue_id=queue_id)
        response = self.now(popped(max_msg_nums=5))
        self.assertEqual(len(self.receipts()), 3)
        self.assertEqual(response.rest_num, 3)

    def test_filtered_messages_are_passed_over(self) -> None:
        """The offset goes behind what does not match."""
        self.fill(b"a", b"b", tag="A")
        self.assertEqual(self.receipts(exp="B"), {})
        self.assertEqual(self.tables.offsets.query(GROUP, TOPIC, 0), 2)
        self.fill(b"c", tag="B")
        self.fill(b"d", tag="A")
        self.fill(b"e", tag="B")
        receipts = self.receipts(exp="B")
        self.assertEqual([each.offset for each in receipts.values()], [2, 4])
        self.assertEqual({each.start_offset for each in receipts.values()}, {2})

    def test_from_the_end(self) -> None:
        """A new group begins with the last message, unless the queue is young."""
        self.fill(b"a", b"b")
        self.assertEqual(set(self.receipts(init_mode=1)), {b"a", b"b"})
        self.pop_reader()._memory_size = 0
        other = self.receipts(init_mode=1, consumer_group="Other")
        self.assertEqual(set(other), {b"b"})
        third = self.receipts(init_mode=0, consumer_group="Third")
        self.assertEqual(set(third), {b"a", b"b"})

    def pop_reader(self):  # type: ignore[no-untyped-def]
        """Return what reads for the handler."""
        return self.router.find(popped().code)[1].__self__._reader

    def test_behind_the_end(self) -> None:
        """An offset behind the queue's end, as after a loss, goes back to the end."""
        self.fill(b"a")
        self.tables.offsets.commit(GROUP, TOPIC, 0, 99)
        self.assertEqual(self.receipts(), {})
        self.assertEqual(self.tables.offsets.query(GROUP, TOPIC, 0), 1)
        self.fill(b"b")
        self.assertEqual(set(self.receipts()), {b"b"})

    def test_reset(self) -> None:
        """After a reset the messages come again, and both receipts differ."""
        self.fill(b"a")
        first = self.receipts()[b"a"]
        self.tables.offsets.commit(GROUP, TOPIC, 0, 0)
        self.assertEqual(self.receipts(), {})  # in the same millisecond
        self.clock.advance(0.001)
        second = self.receipts()[b"a"]
        self.assertNotEqual(first.pop_time_ms, second.pop_time_ms)


class RetryFirstTests(PopCase):
    """Pops that begin with the retry topic."""

    settings = {"pop_from_retry_probability": 100, "enable_retry_topic_v2": True}

    def test_v2(self) -> None:
        """The other form of the retry topic's name is read first."""
        self.fill(b"a")
        self.receipts(invisible_time=0)
        self.pass_time(0.4)
        self.fill(b"b")
        receipts = self.receipts(max_msg_nums=1)
        self.assertEqual([each.retry for each in receipts.values()], [2])


class LimitTests(PopCase):
    """More check points than may be."""

    settings = {"max_pop_check_points": 1}

    def test_refused(self) -> None:
        """No more is handed out; the messages stay for later."""
        self.fill(b"a")
        self.receipts(invisible_time=5_000)
        self.fill(b"b")
        response = self.now(popped())
        self.assertEqual(response.status, 2)
        self.assertIn("maxPopCheckPoints allows no more", response.remark)
        self.flushLoggedErrors()
        self.pass_time(5.3)
        self.assertTrue(self.receipts())


class ColdTests(PopCase):
    """Messages that have to be read from the disk."""

    def setUp(self) -> None:
        """Let reads of this topic wait until the test lets them end."""
        super().setUp()
        self.fill(b"a", b"b")
        self.reads: list[Deferred[None]] = []
        get = self.store.get

        def later(*args: object) -> object:
            self.reads.append(Deferred())
            return self.reads[-1].addCallback(lambda _: get(*args))

        self.store.get = later

    def test_one_at_a_time(self) -> None:
        """Meanwhile others get none of the queue, and no message twice."""
        first = self.ask(popped())
        self.assertEqual(self.now(popped()).status, 210)
        self.reads.pop().callback(None)
        self.assertEqual(set(receipts_of(self.successResultOf(first))), {b"a", b"b"})

    def test_reset_meanwhile(self) -> None:
        """A group that is reset while its messages are read begins there."""
        self.tables.offsets.commit(GROUP, TOPIC, 0, 1)
        first = self.ask(popped())
        self.tables.offsets.commit(GROUP, TOPIC, 0, 0)
        self.reads.pop().callback(None)
        self.assertEqual(self.successResultOf(first).status, 210)
        self.assertEqual(self.tables.offsets.query(GROUP, TOPIC, 0), 0)
