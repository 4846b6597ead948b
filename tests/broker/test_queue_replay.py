"""The messages of a queue, some in a step."""

from __future__ import annotations

from rocketmq_tw.broker.queue_replay import read_queue
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.store.interfaces import Fetched
from rocketmq_tw.wire.record import decode_all
from tests.broker.cases import TOPIC, BrokerCase, sent

#: Messages of one step.
COUNT = 4


class ReadQueueTests(BrokerCase):
    """A queue with ten messages."""

    def setUp(self) -> None:
        """Store them."""
        super().setUp()
        self.topic()
        self.seen: list[list[int]] = []
        for _ in range(10):
            self.ask(sent(TOPIC))

    def apply(self, fetched: Fetched) -> None:
        """Note the queue offsets of one step."""
        self.seen.append([each.queue_offset for each in decode_all(fetched.data)])

    def read(self, at: int, end: int | None = None, queue_id: int = 0) -> None:
        """Read the queue from an offset on."""
        all_at_once(
            read_queue(
                self.store,
                TOPIC,
                queue_id,
                at,
                self.apply,
                count=COUNT,
                size=1 << 20,
                end=end,
            )
        )

    def test_to_the_end(self) -> None:
        """Each step has so many; what is stored meanwhile is passed, too."""
        self.read(1)
        self.assertEqual(self.seen, [[1, 2, 3, 4], [5, 6, 7, 8], [9]])
        self.seen.clear()
        grows = read_queue(
            self.store, TOPIC, 0, 8, self.apply, count=COUNT, size=1 << 20
        )
        next(grows)
        self.ask(sent(TOPIC))
        all_at_once(grows)
        self.assertEqual(self.seen, [[8, 9], [10]])

    def test_to_an_offset(self) -> None:
        """It ends with the step that reaches the offset."""
        self.read(0, end=4)
        self.assertEqual(self.seen, [[0, 1, 2, 3]])

    def test_nothing(self) -> None:
        """There is no step without messages, nor one that goes on from where it is."""
        self.read(10)
        self.read(0, queue_id=1)
        self.assertEqual(self.seen, [])
        self.read(10, end=20)
        self.assertEqual(self.seen, [[]])
