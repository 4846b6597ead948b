"""Lists of connected clients."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.group import ConsumeType
from rocketmq_tw.wire.bodies.consumers import (
    ConsumerConnection,
    ConsumerIdList,
    ProducerInfo,
)


class ConsumerTests(SynchronousTestCase):
    """What peers leave out, and odd names."""

    def test_empty_group(self) -> None:
        """A group without members may be null or an empty list."""
        for text in (b'{"consumerIdList":null}', b'{"consumerIdList":[]}', b"{}"):
            self.assertEqual(ConsumerIdList.decode(text), ConsumerIdList())

    def test_unknown_ways_to_consume(self) -> None:
        """A way that newer peers know is none here; a known one is read."""
        found = ConsumerConnection.decode(
            b'{"consumeType":"CONSUME_PASSIVELY","messageModel":"LITE_SELECTIVE"}'
        )
        self.assertIs(found.consume_type, ConsumeType.CONSUME_PASSIVELY)
        self.assertIsNone(found.message_model)

    def test_address_of_a_producer(self) -> None:
        """It is ``remoteIP`` on the wire."""
        found = ProducerInfo.decode(b'{"remoteIP":"10.0.0.1:5","clientId":"c"}')
        self.assertEqual(found.remote_ip, "10.0.0.1:5")
        self.assertIn(b'"remoteIP":"10.0.0.1:5"', found.encode())
