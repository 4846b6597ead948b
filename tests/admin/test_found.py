"""Stored messages as values for administrators."""

from __future__ import annotations

import zlib

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.found import LIMITS, found
from rocketmq_tw.client.config import MAX_BODY
from rocketmq_tw.client.consumer.compressed import CompressedBody, inflate_later
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.sysflag import COMPRESSED


def stored(body: bytes) -> StoredMessage:
    """Return a message with this body, as it is stored."""
    return StoredMessage(
        topic="T",
        body=CompressedBody.of(body, COMPRESSED),
        queue_id=1,
        queue_offset=2,
        commit_log_offset=3,
        flag=0,
        sys_flag=COMPRESSED,
        born_time_ms=1_700_000_000_000,
        born_host="10.0.0.1:5",
        store_time_ms=0,
        store_host="10.0.0.2:10911",
        reconsume_times=4,
        prepared_transaction_offset=0,
        properties={"TAGS": "A", "KEYS": "k l"},
        size=100,
        body_crc=0,
        broker_name="b",
    )


class FoundTests(SynchronousTestCase):
    """Bodies are inflated, within limits."""

    def test_inflated(self) -> None:
        """A compressed body is read; what is missing has its default."""
        [message] = inflate_later([stored(zlib.compress(b"hello"))], LIMITS)
        value = found(message)
        self.assertEqual((value.body, value.deliveries), (b"hello", 4))
        self.assertEqual((value.tag, value.keys), ("A", ("k", "l")))
        self.assertEqual(value.message_id, value.offset_id)
        self.assertIsNone(value.stored)

    def test_too_large(self) -> None:
        """A body that inflates to too much is shown as it is stored."""
        body = zlib.compress(b"\0" * (MAX_BODY + 1))
        [message] = inflate_later([stored(body)], LIMITS)
        self.assertEqual(found(message).body, body)
