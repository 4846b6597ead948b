"""Many consumers of one client."""

from __future__ import annotations

import gc
from weakref import ref

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.testing import MemoryCluster

BROKERS, QUEUES = 2, 4


class ManyConsumersTests(SynchronousTestCase):
    """A client on a cluster of two brokers, with a topic of four queues on each."""

    def setUp(self) -> None:
        """Start it, with one consumer."""
        self.cluster = MemoryCluster(brokers=BROKERS)
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", QUEUES)
        self.client = self.cluster.client()
        self.cluster.advance(1)
        self.before = len(self.timers())
        self.groups = 0
        self.consumers: list[PushConsumer] = []
        self.add(1)

    def timers(self) -> list[object]:
        """List the timers of the client."""
        clock = self.client.session.clock
        return clock.getDelayedCalls()  # type: ignore[attr-defined, no-any-return]

    def add(self, number: int) -> None:
        """Start more consumers, each of a group of its own."""
        for _ in range(number):
            self.groups += 1
            group = f"G{self.groups}"
            consumer = self.client.push_consumer(group, start_from=EARLIEST)
            consumer.subscribe("T", "*", lambda _message: None)
            consumer.start()
            self.consumers.append(consumer)
        self.cluster.advance(40)

    def test_bounded(self) -> None:
        """Each has two timers, however many queues; all have the same connections."""
        timers = len(self.timers())
        self.add(20)
        self.assertEqual(len(self.timers()) - timers, 2 * 20)
        # Those of the topic, and one of the retry topic at each broker.
        owned = {len(consumer.assignment()) for consumer in self.consumers}
        self.assertEqual(owned, {BROKERS * (QUEUES + 1)})
        host = self.client.session.clock.host  # type: ignore[attr-defined]
        links = list(self.cluster.network.links_between(host))
        self.assertEqual(len(links), BROKERS + 1)

    def test_stopped(self) -> None:
        """Consumers that were stopped leave no timer and no queue behind."""
        timers = len(self.timers())
        self.add(5)
        fetchers = [
            ref(fetcher)
            for consumer in self.consumers[1:]
            for fetcher in consumer._consumption.assignment.fetchers.values()
        ]
        for consumer in self.consumers[1:]:
            self.cluster.result_of(consumer.stop())
        self.cluster.advance(40)
        gc.collect()
        self.assertEqual([each() for each in fetchers if each() is not None], [])
        self.assertEqual(len(self.timers()), timers)

    def test_client_stopped(self) -> None:
        """A client that was stopped has no timer."""
        self.add(5)
        self.cluster.result_of(self.client.stop())
        self.assertEqual(self.timers(), [])
