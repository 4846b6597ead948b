"""What the tests of the pull consumer begin with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.lite.consumer import PullConsumer
from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.model.message import Message, StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset


class PullConsumerCase(SynchronousTestCase):
    """A cluster in memory with a topic of two queues."""

    queue_count = 2

    def setUp(self) -> None:
        """Start it."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.clock = self.cluster.clock
        self.cluster.create_topic("T", self.queue_count)
        self.queues = [
            MessageQueue("T", "broker-a", i) for i in range(self.queue_count)
        ]
        self.traffic = self.cluster.broker.traffic

    def send(self, count: int, queue_id: int = 0, tag: str | None = None) -> None:
        """Store messages ``0``, ``1``... in one queue."""
        producer = self.cluster.producer()
        queue = self.queues[queue_id]
        for number in range(count):
            message = Message("T", b"%d" % number, tag=tag)
            self.cluster.result_of(producer.send(message, queue=queue))

    def consumer(self, **options: Any) -> PullConsumer:
        """Make a consumer of the group ``G`` from the beginning; it is not started."""
        options.setdefault("start_from", EARLIEST)
        return self.cluster.client().pull_consumer("G", **options)

    def started(self, **options: Any) -> PullConsumer:
        """Start one that has subscribed, and pull what there is."""
        consumer = self.consumer(**options)
        consumer.subscribe("T")
        self.cluster.result_of(consumer.start())
        self.cluster.advance(0.1)
        return consumer

    def poll(self, consumer: PullConsumer, limit: int = 32) -> list[bytes]:
        """Poll what is there; give the bodies."""
        messages = self.cluster.result_of(consumer.poll(limit, timeout=0))
        return self.bodies(messages)

    def bodies(self, messages: Iterable[StoredMessage]) -> list[bytes]:
        """Give the bodies of messages."""
        return [message.body for message in messages]

    def committed(self, queue_id: int = 0) -> int | None:
        """Ask the broker for the group's offset."""
        other = self.cluster.client().pull_consumer("G")
        return self.cluster.result_of(other.committed(self.queues[queue_id]))

    def commits(self) -> list[tuple[int, int]]:
        """List what was stored at the broker: queue ids and offsets."""
        return [
            (request.queue_id, request.commit_offset)
            for request in self.traffic.requests(UpdateConsumerOffset)
        ]
