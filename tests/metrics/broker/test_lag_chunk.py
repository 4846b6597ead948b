"""Groups whose numbers are made at once."""

from __future__ import annotations

from unittest.mock import patch

from rocketmq_tw.metrics.broker import lag_chunk
from tests.broker.cases import TOPIC, pulled, sent
from tests.metrics.broker.cases import MetricsCase
from tests.metrics.broker.test_lag import IN_FLIGHT, LAG, OF_QUEUE


class LagChunkTests(MetricsCase):
    """Several groups, which are in one chunk."""

    def setUp(self) -> None:
        """Start with two topics, each with messages in two queues."""
        super().setUp()
        for topic in (TOPIC, "Other"):
            for queue_id in (0, 1):
                self.ask(sent(topic, queue_id=queue_id))

    def commit(self, group: str, topic: str, *offsets: int) -> None:
        """Let a group commit the offsets of queues, from queue 0 on."""
        for queue_id, offset in enumerate(offsets):
            self.tables.offsets.commit(group, topic, queue_id, offset)

    def lags(self) -> dict[tuple[str, str], float]:
        """Read a page, and return the lag of each topic and group."""
        return {
            (found["topic"], found["consumer_group"]): value
            for (name, labels), value in self.read().values.items()
            if name == LAG
            for found in [dict(labels)]
        }

    def test_each_its_own(self) -> None:
        """Each group has its own numbers, however many queues the others have."""
        self.commit("a", TOPIC, 1, 0)
        self.commit("b", TOPIC, 0)
        self.commit("a", "Other", 0, 0)
        expected = {(TOPIC, "a"): 1, (TOPIC, "b"): 1, ("Other", "a"): 2}
        self.assertEqual(self.lags(), expected)

    def test_more_queues(self) -> None:
        """Another queue of one group changes nothing of the others."""
        self.commit("a", TOPIC, 1)
        self.commit("b", "Other", 0)
        self.lags()
        self.commit("a", TOPIC, 1, 0)
        self.assertEqual(self.lags(), {(TOPIC, "a"): 1, ("Other", "b"): 1})

    def test_new_queue(self) -> None:
        """A queue may get its first message after a group's offset."""
        self.commit("a", TOPIC, 1, 1, 0)
        self.assertEqual(self.lags(), {(TOPIC, "a"): 0})
        self.ask(sent(queue_id=2))
        self.assertEqual(self.lags(), {(TOPIC, "a"): 1})

    def test_in_flight(self) -> None:
        """What one group was sent is not in flight to another."""
        self.commit("GroupTest", TOPIC, 0, 0)
        self.commit("b", TOPIC, 0, 0)
        self.tables.groups.find("GroupTest")
        self.ask(pulled(sys_flag=4))
        page = self.read()
        self.assertEqual(page.get(IN_FLIGHT, consumer_group="GroupTest"), 1)
        self.assertEqual(page.get(IN_FLIGHT, consumer_group="b"), 0)

    def test_many_queues(self) -> None:
        """The series of many queues are made in several steps."""
        with patch.object(lag_chunk, "MADE", 1):
            self.commit("a", TOPIC, 1, 0)
            self.commit("b", "Other", 0, 1)
            page = self.read()
        for group, lags in (("a", (0, 1)), ("b", (1, 0))):
            for queue_id, lag in enumerate(lags):
                found = page.get(OF_QUEUE, consumer_group=group, queue_id=str(queue_id))
                self.assertEqual(found, lag)
