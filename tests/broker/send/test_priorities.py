"""Priorities: the queue that a message is stored in, as Apache RocketMQ 5.5 does."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.send.properties import plain_code
from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.model.message import Message
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.send import SendResponse
from tests.broker.cases import TOPIC, BrokerCase, sent

NAME = "_SYS_MSG_PRIORITY_"


class PriorityTests(BrokerCase):
    """A topic with four queues."""

    def setUp(self) -> None:
        """Create the topic."""
        super().setUp()
        self.topic(queues=4)

    def queue_of(self, text: str, queue_id: int = 2) -> tuple[int, bool]:
        """Send; return the queue in the response, and whether the property is kept."""
        before = self.store.commit_log_max
        response: SendResponse = self.ask(sent(properties=text, queue_id=queue_id))
        self.assertEqual((response.status, response.remark), (0, None))
        message = self.record_at(before)
        if message.topic == TOPIC:
            self.assertEqual(message.queue_id, response.queue_id)
        return response.queue_id, NAME in message.properties

    def test_queue(self) -> None:
        """It is the priority, or the last one; the property is kept."""
        for priority, queue_id in (
            (0, 0),
            (1, 1),
            (3, 3),
            (4, 3),
            (9, 3),
            (2**31 - 1, 3),
        ):
            text = f"{NAME}\x01{priority}\x02"
            self.assertEqual(self.queue_of(text), (queue_id, True), priority)

    def test_no_number(self) -> None:
        """What is no number, or below 0, changes nothing."""
        for value in ("-1", "x", "1.5", "1_0", "\u0663", str(2**31), " 1"):
            text = f"{NAME}\x01{value}\x02"
            self.assertEqual(self.queue_of(text), (2, True), value)

    def test_order_counts_more(self) -> None:
        """With a sharding key the queue is kept, and the priority removed."""
        text = f"{NAME}\x011\x02__SHARDINGKEY\x01k\x02"
        self.assertEqual(self.queue_of(text), (2, False))

    def test_other_kinds_count_more(self) -> None:
        """Delays, times and transactions have no priority."""
        for other in (
            "DELAY\x011\x02",
            "TIMER_DELAY_SEC\x015\x02",
            "TRAN_MSG\x01true\x02PGROUP\x01PG\x02",
        ):
            text = f"{NAME}\x011\x02{other}"
            self.assertEqual(self.queue_of(text), (2, False), other)

    def test_not_for_the_lane(self) -> None:
        """The lane of plain sends leaves it; letters of usual texts do not matter."""
        usual = "UNIQ_KEY\x01A0\x02WAIT\x01true\x02"
        self.assertIsNone(plain_code(f"{usual}{NAME}\x011\x02"))
        self.assertIsNone(plain_code(f"{NAME}\x011\x02{usual}"))
        for text in ("", "TAGS\x01PM\x02", "P\x01M\x02", f"X{NAME}\x011\x02"):
            self.assertIsNotNone(plain_code(usual + text), text)

    def test_similar_names(self) -> None:
        """Only the name itself counts."""
        for name in (f"X{NAME}", f"{NAME}X", "P", "M"):
            self.assertEqual(self.queue_of(f"{name}\x011\x02"), (2, NAME == name), name)


class ClientTests(SynchronousTestCase):
    """The client's own field."""

    def test_field(self) -> None:
        """A message with a priority is stored in its queue."""
        with MemoryCluster() as cluster:
            cluster.create_topic("T", 4)
            producer = cluster.producer()
            for priority in (3, 0):
                message = Message("T", b"x", priority=priority)
                result = cluster.result_of(producer.send(message))
                self.assertEqual(result.queue.queue_id, priority)
            below = producer.send(Message("T", b"x", priority=-1))
            self.failureResultOf(below, ValidationError)
