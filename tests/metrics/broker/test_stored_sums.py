"""How many messages were stored of each topic."""

from __future__ import annotations

from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.broker import stored_sums
from rocketmq_tw.metrics.broker.stored_sums import StoredSums
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue


class StoredSumsTests(SynchronousTestCase):
    """Three topics of two queues each."""

    def setUp(self) -> None:
        """Add up one message in each queue."""
        files = OpenFiles()
        self.queues = {
            topic: [ConsumeQueue(topic, n, "", 80, files) for n in range(2)]
            for topic in (b"A", b"B", b"C")
        }
        for topic in self.queues:
            for queue_id in range(2):
                self.store(topic, queue_id, 100)
        self.sums = StoredSums()
        self.sums.restart(self.queues)
        all_at_once(self.sums.add_up())

    def store(self, topic: bytes, queue_id: int, size: int) -> ConsumeQueue:
        """Count a record as the store does."""
        queue = self.queues[topic][queue_id]
        queue.messages += 1
        queue.size += size
        if size > 1024:
            queue.count_larger(size)
        return queue

    def assert_sums(self, **expected: tuple[int, int]) -> None:
        """Compare messages and bytes of each topic."""
        found = {
            topic.decode(): (self.sums.messages[number], self.sums.sizes[number])
            for topic, number in self.sums.numbers.items()
        }
        self.assertEqual(found, expected)

    def test_all(self) -> None:
        """All queues are added up."""
        self.assert_sums(A=(2, 200), B=(2, 200), C=(2, 200))

    def test_some(self) -> None:
        """Only those are looked at that are given; the others keep their numbers."""
        changed = [self.store(b"A", 1, 50), self.store(b"C", 0, 5)]
        self.store(b"B", 0, 7)
        all_at_once(self.sums.add(changed))
        self.assert_sums(A=(3, 250), B=(2, 200), C=(3, 205))
        all_at_once(self.sums.add(changed))
        self.assert_sums(A=(3, 250), B=(2, 200), C=(3, 205))
        all_at_once(self.sums.add([ConsumeQueue(b"A", 0, "", 80, OpenFiles())]))
        all_at_once(self.sums.add_up())
        self.assert_sums(A=(3, 250), B=(3, 207), C=(3, 205))

    def test_ends(self) -> None:
        """Where each queue begins and ends is known, too."""
        queue = self.queues[b"B"][1]
        at = self.sums.positions[queue]
        queue.next, queue.min_offset = 7, 3
        all_at_once(self.sums.add([queue]))
        found = self.sums.ends, self.sums.begins
        expected = [7 if n == at else 0 for n in range(7)]
        self.assertEqual(found, (expected, [3 if each else 0 for each in expected]))
        all_at_once(self.sums.add_up())
        self.assertEqual((self.sums.ends, self.sums.begins), found)

    def test_steps(self) -> None:
        """There is a step for so many queues, and the sums are the same."""
        with patch.object(stored_sums, "AT_ONCE", 2):
            self.sums.restart(self.queues)
            self.assertEqual(len(list(self.sums.add_up())), 3)
            self.assert_sums(A=(2, 200), B=(2, 200), C=(2, 200))
            changed = [self.store(topic, 0, 1) for topic in self.queues]
            self.assertEqual(len(list(self.sums.add(changed))), 2)
        self.assert_sums(A=(3, 201), B=(3, 201), C=(3, 201))

    def test_larger(self) -> None:
        """Topics with larger records are known, whoever looked first."""
        self.assertEqual(self.sums.larger, set())
        changed = [self.store(b"B", 1, 5000)]
        all_at_once(self.sums.add(changed))
        self.assertEqual(self.sums.larger, {1})
        all_at_once(self.sums.add_up())
        self.assertEqual(self.sums.larger, {1})
