"""Tests of rocketmq_tw.client.consumer.simple.popped."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.compressed import InflateLimits
from rocketmq_tw.client.consumer.simple.popped import PoppedMessage, read_popped
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.record import Draft, encode
from rocketmq_tw.wire.requests.pop import PopResponse


def stored(topic: str, offset: int, properties: str = "", queue_id: int = 0) -> bytes:
    """Return the record of a message."""
    draft = Draft(
        topic.encode(), queue_id, 0, 0, 1, bytes(8), b"x", properties.encode()
    )
    return encode(draft, offset, 1000, 2, bytes(8))


def read(body: bytes, starts: str | None, offsets: str) -> list[PoppedMessage]:
    """Read a response of a broker."""
    response = PopResponse(
        pop_time=11,
        invisible_time=22,
        revive_qid=3,
        start_offset_info=starts,
        msg_offset_info=offsets,
        body=body,
    )
    return read_popped(response, "T", "b", InflateLimits())


class ReadTests(SynchronousTestCase):
    """Receipts are those that Java's client makes."""

    def test_lists(self) -> None:
        """Of an ordinary message it is made of the lists."""
        body = stored("T", 5) + stored("T", 9) + stored("T", 7, queue_id=1)
        found = read(body, "0 0 4;0 1 7", "0 0 5,9;0 1 7")
        self.assertEqual(
            [each.receipt.encode() for each in found],
            ["4 11 22 3 0 b 0 5", "4 11 22 3 0 b 0 9", "7 11 22 3 0 b 1 7"],
        )

    def test_property(self) -> None:
        """A message of a retry topic has its own, and is acknowledged there."""
        body = stored("T", 5, "POP_CK\x015 1 2 3 1 b 0 5\x02")
        (found,) = read(body, "1 0 5", "1 0 5")
        self.assertEqual(found.receipt.encode(), "5 1 2 3 1 b 0 5")
        self.assertEqual(found.queue("G"), MessageQueue("%RETRY%G_T", "b", 0))

    def test_actual_retry_topic(self) -> None:
        """Brokers with another store send the retry topic as it is."""
        (found,) = read(stored("%RETRY%G+T", 5), "2 0 5", "2 0 5")
        self.assertEqual(found.receipt.encode(), "5 11 22 3 2 b 0 5")
        self.assertEqual(found.queue("G"), MessageQueue("%RETRY%G+T", "b", 0))

    def test_old_brokers(self) -> None:
        """Without the first list the message's own offset counts."""
        (found,) = read(stored("T", 5), None, "0 0 5")
        self.assertEqual(found.receipt.start_offset, 5)

    def test_missing(self) -> None:
        """A message that is not in the lists has no receipt."""
        self.assertRaises(BadField, read, stored("T", 6), "0 0 5", "0 0 5")
