"""Expressions that brokers are asked about."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import EARLIEST, Message, Sql
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.heartbeat import CheckClientConfig
from rocketmq_tw.wire.requests.pull import PullMessage

WANTED = Sql("price > 100")


class ExpressionTests(SynchronousTestCase):
    """A cluster with a cheap message and an expensive one."""

    def setUp(self) -> None:
        """Store them."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", 1)
        producer = self.cluster.producer()
        for price in ("50", "500"):
            message = Message("T", price.encode(), properties={"price": price})
            self.cluster.result_of(producer.send(message))

    def test_pull_consumer(self) -> None:
        """It gets what matches, as a member and with chosen queues."""
        for group in ("member", "chosen"):
            consumer = self.cluster.client().pull_consumer(group, start_from=EARLIEST)
            if group == "member":
                consumer.subscribe("T", WANTED)
            else:
                route = self.cluster.result_of(self.cluster.client().route("T"))
                consumer.assign(route.readable("T"), WANTED)
            self.cluster.result_of(consumer.start())
            messages = self.cluster.result_of(consumer.poll())
            self.assertEqual([message.body for message in messages], [b"500"])

    def test_push_consumer(self) -> None:
        """So does one with a handler."""
        seen: list[StoredMessage] = []
        self.cluster.consumer("G", "T", seen.append, WANTED, start_from=EARLIEST)
        self.cluster.advance(1)
        self.assertEqual([message.body for message in seen], [b"500"])

    def test_others(self) -> None:
        """And those without a group, or with acknowledgements."""
        client = self.cluster.client()
        (queue,) = self.cluster.result_of(client.route("T")).readable("T")
        reading = client.queue_reader("G").pull(queue, 0, expression=WANTED)
        self.assertEqual(len(self.cluster.result_of(reading).messages), 1)
        receiving = client.simple_consumer("S").receive("T", expression=WANTED)
        (popped,) = self.cluster.result_of(receiving)
        self.assertEqual(popped.message.body, b"500")

    def test_no_filters(self) -> None:
        """A consumer with an expression does not start without the brokers' filters."""
        self.cluster.broker.traffic.refuse(CheckClientConfig, 1, times=2)
        pull = self.cluster.client().pull_consumer("G")
        push = self.cluster.client().push_consumer("G")
        pull.subscribe("T", WANTED)
        push.subscribe("T", WANTED, print)
        for starting in (pull.start(), push.start()):
            error = self.assertRaises(BrokerError, self._start, starting)
            self.assertEqual(error.code, 1)
        self.cluster.result_of(pull.done)

    def test_chosen_queues(self) -> None:
        """Nor does one that has chosen its queues; it reads none that it chooses."""
        refused = self.cluster.broker.traffic
        refused.refuse(CheckClientConfig, 1, times=2)
        route = self.cluster.result_of(self.cluster.client().route("T"))
        consumer = self.cluster.client().pull_consumer("G")
        consumer.assign(route.readable("T"), WANTED)
        self.assertRaises(BrokerError, self._start, consumer.start())
        self.cluster.result_of(consumer.done)
        later = self.cluster.client().pull_consumer("G2")
        self.cluster.result_of(later.start())
        later.assign(route.readable("T"), WANTED)
        self.cluster.advance(5)
        self.assertEqual(len(self.flushLoggedErrors(BrokerError)), 0)
        self.assertEqual(refused.requests(PullMessage), [])
        self.cluster.result_of(later.stop())

    def _start(self, starting: Deferred[object]) -> None:
        """Wait for a start."""
        self.cluster.result_of(starting)

    def test_tags(self) -> None:
        """Tags are not asked about; neither is a topic that does not exist yet."""
        consumer = self.cluster.client().pull_consumer("G")
        consumer.subscribe("T", "A")
        consumer.subscribe("Later", WANTED)
        self.cluster.result_of(consumer.start())
        asked = self.cluster.broker.traffic.requests(CheckClientConfig)
        self.assertEqual(asked, [])
