"""Sending messages back."""

from __future__ import annotations

import zlib

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.config import MAX_BODY
from rocketmq_tw.client.consumer.dispatch.send_back import (
    MessageReturns,
    with_original_topic,
)
from rocketmq_tw.client.consumer.pull_result import read_response
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import (
    DELAY,
    MIN_OFFSET,
    ORIGIN_MESSAGE_ID,
    RETRY_TOPIC,
    UNIQ_KEY,
)
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire import compression
from rocketmq_tw.wire import properties as properties_text
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.send import SendBack, SendMessageV2, SendResponse
from tests.client.fakes import FakeSession, message, pulled, queues, stored


class MessageReturnsTests(SynchronousTestCase):
    """Both ways back."""

    def setUp(self) -> None:
        """Let the broker take messages back."""
        self.session = FakeSession({"T": 1, "%RETRY%G": 1})
        self.session.brokers.responses[SendBack] = Response()
        self.session.brokers.responses[SendMessageV2] = SendResponse(
            msg_id="", queue_id=0, queue_offset=0
        )
        self.returns = MessageReturns(
            brokers=self.session.brokers,  # type: ignore[arg-type]
            routes=self.session.routes,  # type: ignore[arg-type]
            group="G",
            max_retries=16,
        )

    def _refuse(self) -> None:
        """Let the broker not know the request."""
        self.session.brokers.responses[SendBack] = BrokerError(3, "no", "a", "SendBack")

    def test_broker_takes_it(self) -> None:
        """The broker gets the offset, the level and the limit; no copy is sent."""
        given = message(5, properties={UNIQ_KEY: "ID"})
        self.successResultOf(self.returns.send_back(given, 0))
        (request,) = self.session.brokers.sent(SendBack)
        self.assertEqual(
            (request.offset, request.origin_msg_id, request.origin_topic),
            (1005, "ID", "T"),
        )
        self.assertEqual((request.delay_level, request.max_reconsume_times), (0, 16))
        self.assertEqual(self.session.brokers.sent(SendMessageV2), [])

    def test_copy(self) -> None:
        """Where the broker cannot, a copy goes to the retry topic."""
        self._refuse()
        given = message(
            5, b"body", properties={UNIQ_KEY: "ID", MIN_OFFSET: "1"}, reconsume_times=2
        )
        self.successResultOf(self.returns.send_back(given, 0))
        (copy,) = self.session.brokers.sent(SendMessageV2)
        kept = properties_text.decode(copy.properties)
        self.assertEqual((copy.topic, copy.body), ("%RETRY%G", b"body"))
        self.assertEqual((copy.reconsume_times, copy.max_reconsume_times), (3, 16))
        self.assertEqual(
            kept,
            {UNIQ_KEY: "ID", ORIGIN_MESSAGE_ID: "ID", RETRY_TOPIC: "T", DELAY: "5"},
        )

    def test_dead_letter_copy(self) -> None:
        """A copy that is to be a dead letter says it was delivered too often."""
        self._refuse()
        self.successResultOf(self.returns.send_back(message(5), -1))
        (copy,) = self.session.brokers.sent(SendMessageV2)
        self.assertGreater(copy.reconsume_times, copy.max_reconsume_times)

    def test_large_copy(self) -> None:
        """Large bodies are compressed again."""
        self._refuse()
        body = b"x" * 5000
        self.successResultOf(self.returns.send_back(message(5, body), 0))
        (copy,) = self.session.brokers.sent(SendMessageV2)
        self.assertTrue(copy.sys_flag & sysflag.COMPRESSED)
        plain = compression.inflate(copy.body, copy.sys_flag, 5000)
        self.assertEqual(plain, body)

    def test_compressed_copy(self) -> None:
        """A body that is compressed already is sent as it is, whatever its size."""
        self._refuse()
        body = stored(5, body=zlib.compress(bytes(MAX_BODY + 1)), sys_flag=1)
        [bomb] = read_response(pulled(body=body), queues("T", 1)[0], None).messages
        self.successResultOf(self.returns.send_back(bomb, 0))
        (copy,) = self.session.brokers.sent(SendMessageV2)
        self.assertEqual(copy.sys_flag, sysflag.COMPRESSED)
        self.assertEqual(zlib.decompress(copy.body), bytes(MAX_BODY + 1))

    def test_neither_way(self) -> None:
        """When the copy is refused too, it fails."""
        self._refuse()
        self.session.brokers.responses[SendMessageV2] = BrokerError(
            1, "no", "a", "Send"
        )
        self.failureResultOf(self.returns.send_back(message(5), 0), BrokerError)


class RestoredTests(SynchronousTestCase):
    """The topic of messages from the retry topic."""

    def test_with_original_topic(self) -> None:
        """The property names it; without one the topic stays."""
        again = message(1, topic="%RETRY%G", properties={RETRY_TOPIC: "T"})
        self.assertEqual(with_original_topic(again).topic, "T")
        unnamed = message(1, topic="%RETRY%G")
        self.assertEqual(with_original_topic(unnamed).topic, "%RETRY%G")
