"""Bodies of lock requests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.locks import LockBatchRequestBody, LockBatchResponseBody
from rocketmq_tw.wire.errors import BadField

QUEUE = b'{"brokerName":"b","queueId":3,"topic":"T"}'


class LockTests(SynchronousTestCase):
    """Queues that orderly consumers lock."""

    def test_request(self) -> None:
        """The set is a list; the same queue twice is one."""
        text = b'{"consumerGroup":"G","clientId":"c","mqSet":[%b,%b]}' % (QUEUE, QUEUE)
        body = LockBatchRequestBody.decode(text)
        self.assertEqual(body.mq_set, frozenset({MessageQueue("T", "b", 3)}))
        self.assertFalse(body.only_this_broker)

    def test_group_is_required(self) -> None:
        """Without a group nothing can be locked."""
        self.assertRaises(BadField, LockBatchRequestBody.decode, b'{"clientId":"c"}')

    def test_response(self) -> None:
        """It is ``lockOKMQSet`` on the wire; none locked may be null."""
        body = LockBatchResponseBody.decode(b'{"lockOKMQSet":[%b]}' % QUEUE)
        self.assertEqual(body.encode(), b'{"lockOKMQSet":[%b]}' % QUEUE)
        empty = LockBatchResponseBody.decode(b'{"lockOKMQSet":null}')
        self.assertEqual(empty, LockBatchResponseBody())
