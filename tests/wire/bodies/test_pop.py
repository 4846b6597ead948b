"""Tests of rocketmq_tw.wire.bodies.pop."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.pop import (
    BatchAck,
    BatchAckMessageRequestBody,
    MessageQueueAssignment,
    MessageRequestMode,
    QueryAssignmentResponseBody,
    decode_bit_set,
    encode_bit_set,
)
from rocketmq_tw.wire.errors import BadField
from tests.fuzz.cost import measure


class BitSetTests(SynchronousTestCase):
    """Bit sets are Java's, in base64."""

    def test_a_long_set_takes_linear_work(self) -> None:
        """Each byte is looked at by itself, not the whole number for each bit."""
        text = "/" * 8000
        cost, _ = measure(lambda: decode_bit_set(text))
        self.assertLess(cost.work, 60 * len(text))
        self.assertEqual(decode_bit_set(text), list(range(48_000)))

    def test_vector(self) -> None:
        """The set of 0 and 9 is that of Java."""
        self.assertEqual(encode_bit_set({0, 9}), "AQI=")
        self.assertEqual(decode_bit_set("AQI="), [0, 9])

    def test_edges(self) -> None:
        """The empty set has no bytes; text that is not base64 is refused."""
        self.assertEqual(encode_bit_set(()), "")
        self.assertEqual(decode_bit_set(""), [])
        self.assertRaises(BadField, decode_bit_set, "A")


class PopBodyTests(SynchronousTestCase):
    """Bodies around pop are Apache RocketMQ's."""

    def test_batch_ack(self) -> None:
        """Short names are read, and the offsets counted from the first."""
        body = BatchAckMessageRequestBody.decode(
            b'{"acks":[{"b":"AQI=","c":"g","it":60000,"pt":5,"q":1,"r":"0","rq":2,'
            b'"so":100,"t":"T"}],"brokerName":"broker-a"}'
        )
        ack = BatchAck("g", "T", 100, 1, 2, 5, 60000, "0", "AQI=")
        self.assertEqual(body, BatchAckMessageRequestBody("broker-a", (ack,)))
        self.assertEqual(ack.offsets(), [100, 109])

    def test_assignment(self) -> None:
        """An assignment is a queue and a mode."""
        body = QueryAssignmentResponseBody(
            (
                MessageQueueAssignment(
                    MessageQueue("T", "b", -1), MessageRequestMode.POP
                ),
            )
        )
        text = (
            b'{"messageQueueAssignments":[{"messageQueue":{"brokerName":"b",'
            b'"queueId":-1,"topic":"T"},"mode":"POP"}]}'
        )
        self.assertEqual(body.encode(), text)
        self.assertEqual(QueryAssignmentResponseBody.decode(text), body)
