"""Reading the response to a pull."""

from __future__ import annotations

import tracemalloc
import zlib

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.config import MAX_BODY, MAX_INFLATED, ClientConfig
from rocketmq_tw.client.consumer.compressed import InflateLimits
from rocketmq_tw.client.consumer.pull_result import PullStatus, read_response
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.wire.compression import BodyTooLarge
from tests.client.fakes import pulled, queues, stored

QUEUE = queues("T", 1)[0]


class ReadResponseTests(SynchronousTestCase):
    """What is kept of a response."""

    def test_messages(self) -> None:
        """They know their broker, and the ends of the queue."""
        response = pulled(body=stored(7, "A") + stored(8), next_offset=9)
        result = read_response(response, QUEUE, None)
        self.assertIs(result.status, PullStatus.FOUND)
        self.assertEqual([m.queue_offset for m in result.messages], [7, 8])
        self.assertEqual({m.broker_name for m in result.messages}, {"broker-a"})
        properties = result.messages[0].properties
        self.assertEqual(
            (properties["MIN_OFFSET"], properties["MAX_OFFSET"]), ("1", "20")
        )
        self.assertEqual((result.next_offset, result.min_offset), (9, 1))

    def test_tags(self) -> None:
        """Messages that the broker took for ours, by a hash code, are left out."""
        response = pulled(body=stored(7, "A") + stored(8, "B"), next_offset=9)
        result = read_response(response, QUEUE, parse("T", "A", 1))
        self.assertEqual([m.queue_offset for m in result.messages], [7])
        self.assertEqual(result.next_offset, 9)

    def test_nothing_found(self) -> None:
        """Without messages the body is not read."""
        for status in (PullStatus.NO_NEW, PullStatus.NO_MATCHED):
            result = read_response(pulled(status.value, b"?"), QUEUE, None)
            self.assertEqual((result.status, result.messages), (status, []))

    def test_compressed(self) -> None:
        """A compressed body is inflated."""
        body = stored(7, body=zlib.compress(b"plain"), sys_flag=1)
        result = read_response(pulled(body=body), QUEUE, None)
        self.assertEqual(result.messages[0].body, b"plain")

    def test_bombs(self) -> None:
        """Of a pull of bodies that inflate to much, only those read are inflated."""
        bomb = zlib.compress(bytes(MAX_BODY))
        body = b"".join(stored(n, body=bomb, sys_flag=1) for n in range(12))
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        messages = read_response(pulled(body=body), QUEUE, None).messages
        self.assertLess(tracemalloc.get_traced_memory()[1], MAX_BODY)
        for message in messages:
            self.assertEqual(len(message.body), MAX_BODY)
        self.assertLess(tracemalloc.get_traced_memory()[1], MAX_INFLATED + 4 * MAX_BODY)

    def test_too_large(self) -> None:
        """A body over the limit fails when it is read, whatever else is read."""
        bomb = zlib.compress(bytes(MAX_BODY + 1))
        response = pulled(body=stored(7, "A", body=bomb, sys_flag=1) + stored(8, "A"))
        large, other = read_response(response, QUEUE, parse("T", "A", 1)).messages
        with self.assertRaises(BodyTooLarge) as raised:
            large.body  # noqa: B018 - for the error it raises
        self.assertIn(f"more than {MAX_BODY} bytes", str(raised.exception))
        self.assertEqual((large.tag, large.size > 0), ("A", True))
        self.assertEqual(other.body, b"body")

    def test_options(self) -> None:
        """Both limits are options of the client."""
        limits = InflateLimits.of(ClientConfig(max_body_size=10, max_inflated_size=15))
        bodies = [b"a" * 10, b"b" * 10, b"c" * 11]
        packed = [zlib.compress(each) for each in bodies]
        body = b"".join(stored(n, body=p, sys_flag=1) for n, p in enumerate(packed))
        found = read_response(pulled(body=body), QUEUE, None, limits).messages
        kept, other, large = found
        self.assertIs(kept.body, kept.body)
        self.assertEqual(other.body, bodies[1])
        self.assertIsNot(other.body, other.body)
        with self.assertRaises(BodyTooLarge):
            large.body  # noqa: B018 - for the error it raises

    def test_inflated_once(self) -> None:
        """A body is inflated once, unless the messages of the pull keep too much."""
        body = stored(7, body=zlib.compress(b"plain"), sys_flag=1)
        [message] = read_response(pulled(body=body), QUEUE, None).messages
        self.assertIs(message.body, message.body)
        renamed = msgspec.structs.replace(message, topic="U")
        self.assertEqual((renamed.topic, renamed.body), ("U", b"plain"))

    def test_damaged(self) -> None:
        """A body that cannot be inflated is consumed as it is: the queue moves on."""
        body = stored(7, body=b"not zlib", sys_flag=1)
        result = read_response(pulled(body=body), QUEUE, None)
        self.assertEqual(result.messages[0].body, b"not zlib")
