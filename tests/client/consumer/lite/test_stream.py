"""Messages that are written to a transport."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.internet.testing import StringTransport
from zope.interface.verify import verifyObject

from rocketmq_tw.model.message import StoredMessage
from tests.client.consumer.lite.cases import PullConsumerCase


def body(message: StoredMessage) -> bytes:
    """Encode a message."""
    return message.body


class Limited(StringTransport):
    """A transport that takes two writes, then pauses who writes."""

    def write(self, data: bytes) -> None:
        """Pause after each second byte."""
        super().write(data)
        if len(self.value()) % 2 == 0:
            assert self.producer is not None
            self.producer.pauseProducing()


class StreamTests(PullConsumerCase):
    """A stream of five messages."""

    def setUp(self) -> None:
        """Store them."""
        super().setUp()
        self.send(5)

    def test_pauses(self) -> None:
        """It writes as much as the transport takes, and goes on when that asks."""
        consumer = self.started()
        transport = Limited()
        consumer.stream_to(transport, body)
        self.assertEqual(transport.value(), b"01")
        verifyObject(IPushProducer, transport.producer)
        self.cluster.advance(6)
        # The last one that was written may not have left yet.
        self.assertEqual(self.committed(), 1)
        transport.producer.resumeProducing()
        self.assertEqual(transport.value(), b"0123")
        transport.producer.resumeProducing()
        self.send(1)
        self.assertEqual(transport.value(), b"012340")

    def test_stopped(self) -> None:
        """The stop of the consumer ends it, and commits what was written."""
        consumer = self.started()
        transport = StringTransport()
        done = consumer.stream_to(transport, body)
        self.assertEqual(transport.value(), b"01234")
        self.cluster.result_of(consumer.stop())
        self.successResultOf(done)
        self.assertIsNone(transport.producer)
        self.assertEqual(self.committed(), 5)

    def test_nobody_reads(self) -> None:
        """A transport that is closed ends it; the consumer can be polled again."""
        consumer = self.started()
        transport = StringTransport()
        done = consumer.stream_to(transport, body)
        transport.producer.stopProducing()
        self.successResultOf(done)
        self.send(1)
        self.assertEqual(self.poll(consumer), [b"0"])
        self.assertEqual(transport.value(), b"01234")

    def test_cannot_be_encoded(self) -> None:
        """An exception of the encoder ends it, and is passed on."""
        consumer = self.started()
        transport = StringTransport()
        done = consumer.stream_to(transport, lambda message: message.body[9])  # type: ignore
        self.failureResultOf(done, IndexError)
        self.assertIsNone(transport.producer)

    def test_cancelled(self) -> None:
        """Cancelling ends it."""
        transport = StringTransport()
        done = self.started().stream_to(transport, body)
        done.cancel()
        self.successResultOf(done)
        self.assertIsNone(transport.producer)
