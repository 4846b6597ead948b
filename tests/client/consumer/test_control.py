"""A consumer that brokers command, on a cluster in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.producer.message import Message
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.offsets import GetConsumerStatusBody, ResetOffsetBody
from rocketmq_tw.wire.bodies.running_info import (
    ConsumeMessageDirectlyResult,
    ConsumeResult,
    ConsumerRunningInfo,
)
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetConsumerRunningInfo,
    GetConsumerStatusFromClient,
    ResetConsumerClientOffset,
)
from tests.client.fakes import stored

QUEUE = MessageQueue("orders", "broker-a", 0)


class ControlTests(SynchronousTestCase):
    """A consumer that has read five messages."""

    def setUp(self) -> None:
        """Start it."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("orders", 1)
        producer = self.cluster.producer()
        for i in range(5):
            sent = producer.send(Message("orders", b"%d" % i))
            self.cluster.result_of(sent)
        self.seen: list[bytes] = []
        self.outcome: Any = None
        self.consumer = self._consume()
        self.cluster.advance(1)

    def _consume(self, **options: Any) -> PushConsumer:
        """Start a consumer."""
        return self.cluster.consumer(
            "G", "orders", self._handle, start_from=EARLIEST, **options
        )

    def _handle(self, message: StoredMessage) -> Any:
        """Note the message."""
        self.seen.append(message.body)
        return self.outcome

    def _broker_side(self) -> RemotingProtocol:
        """Find the broker's end of the consumer's connection."""
        host = self.cluster.broker.host
        [link] = [
            each
            for each in self.cluster.network.links_between(host)
            if each.near.getHost().host == "10.0.2.2"
        ]
        return link.far.protocol

    def _call(self, request: Request[Any]) -> bytes:
        """Send a request to the consumer, as the broker does."""
        called = self._broker_side().call(request, 5.0)
        return bytes(self.cluster.result_of(called).body)

    def _reset(self, offset: int) -> None:
        """Reset the queue's offset, and let time pass."""
        body = ResetOffsetBody(offset_table={QUEUE: offset}).encode()
        request = ResetConsumerClientOffset("orders", "G", 0, True, body=body)
        self._broker_side().call_one_way(request)
        self.cluster.advance(2)

    def test_reset(self) -> None:
        """It reads again from the offset, also if it is lower, and stays there."""
        self._reset(2)
        self.assertEqual(self.seen, [b"0", b"1", b"2", b"3", b"4", b"2", b"3", b"4"])
        self.cluster.result_of(self.consumer.stop())
        self._consume()
        self.cluster.advance(2)
        self.assertEqual(len(self.seen), 8)

    def test_reset_waits_for_handlers(self) -> None:
        """A running handler may finish before the offset is reset, for 10 s."""
        self.outcome = waiting = Deferred()
        self._reset(4)
        self.assertEqual(len(self.seen), 6)
        self.outcome = None
        self._reset(3)
        self.cluster.advance(5)
        self.assertEqual(len(self.seen), 6)
        waiting.callback(None)
        self.cluster.advance(5)
        self.assertEqual(self.seen[6:], [b"3", b"4"])

    def test_reset_of_hanging_handlers(self) -> None:
        """A handler that hangs delays it by 10 s only."""
        self.outcome = Deferred()
        self._reset(4)
        self.outcome = None
        self._reset(3)
        self.cluster.advance(10)
        self.assertEqual(self.seen[6:], [b"3", b"4"])

    def test_others_are_not_reset(self) -> None:
        """Queues of other topics and impossible offsets are ignored."""
        self._reset(-1)
        body = ResetOffsetBody(offset_table={QUEUE: 0}).encode()
        request = ResetConsumerClientOffset("other", "G", 0, True, body=body)
        self._broker_side().call_one_way(request)
        self.cluster.advance(2)
        self.assertEqual(len(self.seen), 5)

    def test_status(self) -> None:
        """The offsets are those that are not committed yet, too."""
        text = self._call(GetConsumerStatusFromClient("orders", "G"))
        table = GetConsumerStatusBody.decode(text).message_queue_table
        self.assertEqual(table, {QUEUE: 5})

    def test_running_info(self) -> None:
        """The broker passes it on to an administrator."""
        request = GetConsumerRunningInfo("G", "client-2", True)
        text = self.cluster.call(self.cluster.broker, request).body
        found = ConsumerRunningInfo.decode(text)
        self.assertEqual(found.properties["PROP_CONSUMEORDERLY"], "false")
        self.assertEqual(found.properties["PROP_CONSUME_TYPE"], "CONSUME_PASSIVELY")
        self.assertEqual(found.mq_table[QUEUE].commit_offset, 5)
        self.assertIn("orders", found.status_table)
        self.assertIn("in test_running_info", found.jstack or "")
        topics = [each.topic for each in found.subscription_set]
        self.assertEqual(topics, ["orders", "%RETRY%G"])

    def test_consume_directly(self) -> None:
        """The handler gets the message; nothing is committed."""
        self.outcome = None
        request = ConsumeMessageDirectly(
            "G", "client-2", broker_name="broker-a", body=stored(1, body=b"direct")
        )
        result = ConsumeMessageDirectlyResult.decode(self._call(request))
        self.assertEqual(result.consume_result, ConsumeResult.CR_THROW_EXCEPTION)
        self.consumer.handler = self._handle
        result = ConsumeMessageDirectlyResult.decode(self._call(request))
        self.assertEqual(result.consume_result, ConsumeResult.CR_SUCCESS)
        self.assertEqual(self.seen[-1], b"direct")

    def test_no_message(self) -> None:
        """A body that is not one record is refused."""
        for body in (b"", b"x", stored(1) + stored(2)):
            request = ConsumeMessageDirectly("G", "client-2", body=body)
            self.assertRaises(BrokerError, self._call, request)
