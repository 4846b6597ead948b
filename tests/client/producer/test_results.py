"""What a sender learns from a broker's response."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.producer.results import SendStatus, send_result
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.requests.send import SendResponse

QUEUE = MessageQueue("T", "broker-a", 1)


class SendResultTests(SynchronousTestCase):
    """The result of one send."""

    def test_plain(self) -> None:
        """Old brokers leave out what later ones send: the defaults are Java's."""
        response = SendResponse(msg_id="0A", queue_id=1, queue_offset=7)
        result = send_result(response, QUEUE, "KEY")
        self.assertEqual(result.status, SendStatus.SEND_OK)
        self.assertEqual((result.message_id, result.offset_message_id), ("KEY", "0A"))
        self.assertIs(result.queue, QUEUE)
        self.assertEqual(result.queue_offset, 7)
        self.assertEqual((result.region_id, result.trace_on), ("DefaultRegion", True))

    def test_broker_chose_the_queue(self) -> None:
        """The result names the queue that has the message, not the one asked for."""
        response = SendResponse(msg_id="0A", queue_id=3, queue_offset=7)
        result = send_result(response, QUEUE, "KEY")
        self.assertEqual(result.queue, MessageQueue("T", "broker-a", 3))

    def test_status_and_batch(self) -> None:
        """The code is the status; a batch that the broker split has its own keys."""
        response = SendResponse(
            msg_id="0A", queue_id=1, queue_offset=7, batch_uniq_id="K1,K2"
        )
        response.status = 11
        result = send_result(response, QUEUE, "KEY")
        self.assertEqual(result.status, SendStatus.SLAVE_NOT_AVAILABLE)
        self.assertEqual(result.message_id, "K1,K2")
